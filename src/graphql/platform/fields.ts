import { Arg, Ctx, FieldResolver, ID, Int, Resolver, Root } from 'type-graphql';
import type { AccountRecord, AgentRecord, InboxRecord, TeamRecord } from '../../core/setup';
import { OperationContext } from '../operation/context';
import { ListSize } from '../cost/list-size';
import { Chatbot, Organization, User } from './types';
import { SupportAccount, SupportAgent, SupportChatbot, SupportTeam } from '../setup/types';
import { AFTER, FIRST, sliceList } from '../shared/parse-input';

/** Fields that this subgraph adds to types of other subgraphs. Objects of other organizations have no support data. */

@Resolver(() => Organization)
export class OrganizationFields {
  @ListSize(3)
  @FieldResolver(() => [SupportAccount])
  supportAccounts(@Root() { id }: { id: string }, @Ctx() context: OperationContext): Promise<readonly AccountRecord[]> {
    return context.loaders.accountsOfOrganization.load(id);
  }
}

type ChatbotSupport = Pick<InboxRecord, 'state' | 'problem' | 'policy' | 'accountId'> & { readonly inbox: InboxRecord };

@Resolver(() => Chatbot)
export class ChatbotFields {
  @FieldResolver(() => SupportChatbot, {
    nullable: true,
    description: 'Null: support is not enabled for this chatbot.',
  })
  async support(@Root() { id }: { id: string }, @Ctx() context: OperationContext): Promise<ChatbotSupport | null> {
    const inbox = await context.loaders.inboxOfChatbot.load(id);
    return (
      inbox && { inbox, state: inbox.state, problem: inbox.problem, policy: inbox.policy, accountId: inbox.accountId }
    );
  }
}

@Resolver(() => SupportChatbot)
export class SupportChatbotFields {
  @ListSize(20)
  @FieldResolver(() => [SupportTeam], { description: 'The teams that its handoffs can target.' })
  async teams(
    @Root() { accountId }: ChatbotSupport,
    @Arg('first', () => Int, FIRST) first: number | null,
    @Arg('after', () => ID, AFTER) after: string | null,
    @Ctx() context: OperationContext,
  ): Promise<readonly TeamRecord[]> {
    return sliceList(await context.loaders.teamsOfAccount.load(accountId), first, after);
  }
}

@Resolver(() => User)
export class UserFields {
  @ListSize(3)
  @FieldResolver(() => [SupportAgent], { description: 'The agents to which this user is linked.' })
  supportAgents(@Root() { id }: { id: string }, @Ctx() context: OperationContext): Promise<readonly AgentRecord[]> {
    return context.loaders.agentsOfUser.load(id);
  }
}
