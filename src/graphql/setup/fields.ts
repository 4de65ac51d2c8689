import { Arg, Ctx, FieldResolver, ID, Int, Resolver, Root } from 'type-graphql';
import type { AccountRecord, AgentRecord, InboxRecord, TeamRecord } from '../../core/setup';
import { OperationContext } from '../operation/context';
import { ListSize } from '../cost/list-size';
import { Chatbot, Organization, User } from '../platform/types';
import { SupportAccount, SupportAgent, SupportInbox, SupportTeam } from './types';
import { AFTER, FIRST, sliceList } from '../shared/parse-input';

interface Reference {
  readonly id: string;
}

@Resolver(() => SupportAccount)
export class SupportAccountFields {
  @FieldResolver(() => Organization)
  organization(@Root() { organizationId }: AccountRecord): Reference {
    return { id: organizationId };
  }

  @FieldResolver(() => [String], { description: 'Names of the stored credentials. Their values are never returned.' })
  credentialNames(@Root() { credentials }: AccountRecord): readonly string[] {
    return Object.keys(credentials).sort();
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: "Version of the provider's server, as of the last check.",
  })
  version(@Root() { settings }: AccountRecord): string | null {
    return typeof settings['version'] === 'string' ? settings['version'] : null;
  }

  @ListSize(50)
  @FieldResolver(() => [SupportInbox])
  async inboxes(
    @Root() { id }: AccountRecord,
    @Arg('first', () => Int, FIRST) first: number | null,
    @Arg('after', () => ID, AFTER) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<readonly InboxRecord[]> {
    return sliceList(await context.loaders.inboxesOfAccount.load(id), first, after);
  }

  @ListSize(20)
  @FieldResolver(() => [SupportTeam])
  async teams(
    @Root() { id }: AccountRecord,
    @Arg('first', () => Int, FIRST) first: number | null,
    @Arg('after', () => ID, AFTER) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<readonly TeamRecord[]> {
    return sliceList(await context.loaders.teamsOfAccount.load(id), first, after);
  }

  @ListSize(50)
  @FieldResolver(() => [SupportAgent])
  async agents(
    @Root() { id }: AccountRecord,
    @Arg('first', () => Int, FIRST) first: number | null,
    @Arg('after', () => ID, AFTER) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<readonly AgentRecord[]> {
    return sliceList(await context.loaders.agentsOfAccount.load(id), first, after);
  }
}

const loadAccount = (
  { accountId }: { readonly accountId: string },
  context: OperationContext,
): Promise<AccountRecord | null> => context.loaders.account.load(accountId);

interface WithMembers {
  readonly accountId: string;
  readonly memberIds: readonly string[] | null;
}
const MEMBERS = {
  description:
    'The members that were set through this API, without those who are no longer listed. supportDrift reports the actual members.',
} as const;
const HAS_MANAGED_MEMBERS = {
  description: 'True if the members were ever set through this API. If false, any members are in order.',
} as const;

async function loadMembers(
  { accountId, memberIds }: WithMembers,
  context: OperationContext,
): Promise<readonly AgentRecord[]> {
  return memberIds === null || memberIds.length === 0
    ? []
    : (await context.loaders.agentsOfAccount.load(accountId)).filter(({ id }) => memberIds.includes(id));
}

@Resolver(() => SupportInbox)
export class SupportInboxFields {
  @FieldResolver(() => Chatbot)
  chatbot(@Root() { chatbotId }: InboxRecord): Reference {
    return { id: chatbotId };
  }

  @ListSize(20)
  @FieldResolver(() => [SupportAgent], MEMBERS)
  async members(
    @Root() inbox: InboxRecord,
    @Arg('first', () => Int, FIRST) first: number | null,
    @Arg('after', () => ID, AFTER) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<readonly AgentRecord[]> {
    return sliceList(await loadMembers(inbox, context), first, after);
  }

  @FieldResolver(() => Boolean, HAS_MANAGED_MEMBERS)
  hasManagedMembers(@Root() { memberIds }: InboxRecord): boolean {
    return memberIds !== null;
  }

  @FieldResolver(() => SupportAccount)
  account(@Root() inbox: InboxRecord, @Ctx() context: OperationContext): Promise<AccountRecord | null> {
    return loadAccount(inbox, context);
  }
}

@Resolver(() => SupportTeam)
export class SupportTeamFields {
  @ListSize(20)
  @FieldResolver(() => [SupportAgent], MEMBERS)
  async members(
    @Root() team: TeamRecord,
    @Arg('first', () => Int, FIRST) first: number | null,
    @Arg('after', () => ID, AFTER) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<readonly AgentRecord[]> {
    return sliceList(await loadMembers(team, context), first, after);
  }

  @FieldResolver(() => Boolean, HAS_MANAGED_MEMBERS)
  hasManagedMembers(@Root() { memberIds }: TeamRecord): boolean {
    return memberIds !== null;
  }

  @FieldResolver(() => SupportAccount)
  account(@Root() team: TeamRecord, @Ctx() context: OperationContext): Promise<AccountRecord | null> {
    return loadAccount(team, context);
  }
}

@Resolver(() => SupportAgent)
export class SupportAgentFields {
  @FieldResolver(() => SupportAccount)
  account(@Root() agent: AgentRecord, @Ctx() context: OperationContext): Promise<AccountRecord | null> {
    return loadAccount(agent, context);
  }

  @FieldResolver(() => User, { nullable: true, description: 'The user of the platform to whom this agent is linked.' })
  user(@Root() { userId }: AgentRecord): Reference | null {
    return userId === null ? null : { id: userId };
  }
}
