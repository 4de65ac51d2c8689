import { Arg, Ctx, Field, ID, Int, ObjectType, Query, Resolver } from 'type-graphql';
import { NotFoundError } from '../core/errors';
import type { Explanation } from '../core/flows/api/sessions';
import type { Flows } from '../core/flows/api';
import { cleanInput } from '../core/flows/clean-input';
import type { HandoffRecord } from '../core/handoff';
import type { Stores } from '../core/ports/stores';
import type { SessionRecord } from '../core/session';
import type { AccountRecord, AgentRecord, InboxRecord, TeamRecord } from '../core/setup';
import { OperationContext } from './operation/context';
import { Cost, ListSize } from './cost/list-size';
import { SupportBlockedLane } from './dead-letters/types';
import { ControlReason } from './shared/enums';
import { Handoff, HandoffConnection } from './handoffs/types';
import { HandoffFilterInput } from './runtime/inputs';
import { SupportRuntimeDeliveryConnection } from './runtime/delivery-types';
import { SupportSession } from './sessions/types';
import { SupportAccount, SupportAgent, SupportDriftItem, SupportInbox, SupportTeam } from './setup/types';
import type { DriftItem } from '../core/ports/provider/drift';
import { AFTER, toConnection, filterOf, FIRST, pageRequest, sliceList } from './shared/parse-input';

@ObjectType({ simpleResolvers: true, description: 'Deliveries that have not reached their receivers yet.' })
export class SupportPendingDeliveries {
  @Field(() => Int, { description: 'Pending for the provider.' }) provider: number;
  @Field(() => Int, { description: "Waiting for the runtime's acknowledgment." }) runtime: number;
  @Field(() => Int, { description: 'Parked until an operator decides.' }) parked: number;
  @Field(() => Int, { description: 'Of `parked`: those that may have reached their receivers nevertheless.' })
  parkedUnknown: number;
  @Field(() => String, { nullable: true, description: 'Code of the last failed attempt.' }) lastErrorCode:
    | string
    | null;
}

@ObjectType({ simpleResolvers: true, description: 'The reason why the bot may or may not answer.' })
export class SupportExplanation {
  @Field(() => SupportSession) session: unknown;
  @Field(() => Handoff, { nullable: true, description: 'The live handoff.' }) handoff: unknown;
  @Field(() => Boolean) mayReply: boolean;
  @Field(() => ControlReason) reason: Explanation['reason'];
  @Field(() => SupportPendingDeliveries) pendingDeliveries: SupportPendingDeliveries;
  @ListSize(2)
  @Field(() => [SupportBlockedLane], { description: 'Lanes that wait behind a dead letter until an operator decides.' })
  blockedLanes: readonly SupportBlockedLane[];
}

const nullable = { nullable: true } as const;

@Resolver()
export class Queries {
  constructor(
    private readonly flows: Flows,
    private readonly stores: Stores,
  ) {}

  @Query(() => SupportAccount, nullable)
  supportAccount(@Arg('id', () => ID) id: string, @Ctx() context: OperationContext): Promise<AccountRecord | null> {
    context.scope('READ');
    return context.loaders.account.load(id);
  }

  @ListSize(3)
  @Query(() => [SupportAccount])
  async supportAccounts(@Ctx() context: OperationContext): Promise<readonly AccountRecord[]> {
    return context.loaders.accountsOfOrganization.load(context.scope('READ').organizationId);
  }

  @Cost(50)
  @ListSize(100)
  @Query(() => [SupportDriftItem], {
    description: 'Compares the desired state at the provider with the current one. Takes seconds and changes nothing.',
  })
  supportDrift(
    @Arg('accountId', () => ID) accountId: string,
    @Ctx() context: OperationContext,
  ): Promise<readonly DriftItem[]> {
    return this.flows.inspectDrift(context.scope('OPERATE'), accountId);
  }

  @ListSize(50)
  @Query(() => [SupportInbox])
  async supportInboxes(
    @Arg('accountId', () => ID, nullable) accountId: string | null,
    @Arg('first', () => Int, FIRST) first: number | null,
    @Arg('after', () => ID, AFTER) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<readonly InboxRecord[]> {
    const all = await context.read('READ', ['supportInboxes', accountId], ({ organizationId }) =>
      this.stores.setup.listInboxes(organizationId, accountId ?? null),
    );
    return sliceList(all, first, after);
  }

  @ListSize(20)
  @Query(() => [SupportTeam])
  async supportTeams(
    @Arg('accountId', () => ID, nullable) accountId: string | null,
    @Arg('first', () => Int, FIRST) first: number | null,
    @Arg('after', () => ID, AFTER) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<readonly TeamRecord[]> {
    const all = await context.read('READ', ['supportTeams', accountId], ({ organizationId }) =>
      this.stores.setup.listTeams(organizationId, accountId ?? null),
    );
    return sliceList(all, first, after);
  }

  @ListSize(50)
  @Query(() => [SupportAgent])
  async supportAgents(
    @Arg('accountId', () => ID, nullable) accountId: string | null,
    @Arg('first', () => Int, FIRST) first: number | null,
    @Arg('after', () => ID, AFTER) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<readonly AgentRecord[]> {
    const all = await context.read('READ', ['supportAgents', accountId], ({ organizationId }) =>
      this.stores.setup.listAgents(organizationId, accountId ?? null),
    );
    return sliceList(all, first, after);
  }

  @Query(() => SupportSession, nullable)
  supportSession(@Arg('id', () => ID) id: string, @Ctx() context: OperationContext): Promise<SessionRecord | null> {
    context.scope('READ');
    return context.loaders.session.load(id);
  }

  @Query(() => SupportSession, { ...nullable, description: "Finds a session by the runtime's own id." })
  async supportSessionByKey(
    @Arg('chatbotId', () => ID) chatbotId: string,
    @Arg('channel', () => String) channel: string,
    @Arg('externalId', () => String) externalId: string,
    @Ctx() context: OperationContext,
  ): Promise<SessionRecord | null> {
    const key = cleanInput({ chatbotId, channel, externalId });
    return context.read('READ', ['supportSessionByKey', key], ({ organizationId }) =>
      this.stores.sessions.findByRuntimeKey(organizationId, key.chatbotId, key.channel, key.externalId),
    );
  }

  @Query(() => Handoff, nullable)
  handoff(@Arg('id', () => ID) id: string, @Ctx() context: OperationContext): Promise<HandoffRecord | null> {
    context.scope('READ');
    return context.loaders.handoff.load(id);
  }

  @Query(() => HandoffConnection, { description: 'Newest first.' })
  async handoffs(
    @Arg('filter', () => HandoffFilterInput, nullable) filter: HandoffFilterInput | null,
    @Arg('first', () => Int, nullable) first: number | null,
    @Arg('after', () => String, nullable) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<object> {
    const request = pageRequest(first, after);
    const given = cleanInput(filterOf(filter));
    const page = await context.read('READ', ['handoffs', given, request], ({ organizationId }) =>
      this.stores.handoffs.page(organizationId, given, request),
    );
    return toConnection(page, request, handoff => handoff);
  }

  @Query(() => SupportRuntimeDeliveryConnection, {
    description: 'Deliveries that the runtime has not acknowledged: oldest first, in order within each session.',
  })
  async supportRuntimeInbox(
    @Arg('chatbotId', () => ID, nullable) chatbotId: string | null,
    @Arg('sessionId', () => ID, nullable) sessionId: string | null,
    @Arg('first', () => Int, nullable) first: number | null,
    @Arg('after', () => String, nullable) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<object> {
    const request = pageRequest(first, after);
    const filter = cleanInput({ chatbotId: chatbotId ?? null, sessionId: sessionId ?? null });
    const page = await context.read('READ', ['supportRuntimeInbox', filter, request], ({ organizationId }) =>
      this.stores.deliveries.listRuntimeInbox(organizationId, filter, request),
    );
    return toConnection(page, request, delivery => delivery);
  }

  @Cost(50)
  @Query(() => SupportExplanation, {
    ...nullable,
    description: 'Explains why the bot may or may not answer in a session, and which deliveries are pending.',
  })
  async supportExplain(
    @Arg('sessionId', () => ID) sessionId: string,
    @Ctx() context: OperationContext,
  ): Promise<SupportExplanation | null> {
    try {
      const { blockedLanes, ...explanation } = await context.read('READ', ['supportExplain', sessionId], scope =>
        this.flows.explain(scope, sessionId),
      );
      return {
        ...explanation,
        blockedLanes: blockedLanes.map(({ deliveryId: deadLetterId, ...lane }) => ({ ...lane, deadLetterId })),
      };
    } catch (error) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  }
}
