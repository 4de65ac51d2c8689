import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { AccountRecord, AgentRecord, InboxRecord, TeamRecord } from '../../core/setup';
import { OperationContext } from '../context';
import { Chatbot, Organization, User } from '../types/platform';
import { SupportAccount, SupportAgent, SupportChatbot, SupportTeam } from '../types/setup';

/** What we add to other subgraphs' types. What is not the caller's has none of it. */

@Resolver(() => Organization)
export class OrganizationFields {
  @FieldResolver(() => [SupportAccount])
  supportAccounts(@Root() { id }: { id: string }, @Ctx() context: OperationContext): Promise<readonly AccountRecord[]> {
    return context.loaders.accountsOfOrganization.load(id);
  }
}

type ChatbotSupport = Pick<InboxRecord, 'state' | 'problem' | 'policy' | 'accountId'> & { readonly inbox: InboxRecord };

@Resolver(() => Chatbot)
export class ChatbotFields {
  @FieldResolver(() => SupportChatbot, { nullable: true, description: 'Null: support is not enabled for this chatbot.' })
  async support(@Root() { id }: { id: string }, @Ctx() context: OperationContext): Promise<ChatbotSupport | null> {
    const inbox = await context.loaders.inboxOfChatbot.load(id);
    return inbox && { inbox, state: inbox.state, problem: inbox.problem, policy: inbox.policy, accountId: inbox.accountId };
  }
}

@Resolver(() => SupportChatbot)
export class SupportChatbotFields {
  @FieldResolver(() => [SupportTeam], { description: 'Where its handoffs can go.' })
  teams(@Root() { accountId }: ChatbotSupport, @Ctx() context: OperationContext): Promise<readonly TeamRecord[]> {
    return context.loaders.teamsOfAccount.load(accountId);
  }
}

@Resolver(() => User)
export class UserFields {
  @FieldResolver(() => [SupportAgent], { description: 'The agents that this person is.' })
  supportAgents(@Root() { id }: { id: string }, @Ctx() context: OperationContext): Promise<readonly AgentRecord[]> {
    return context.loaders.agentsOfUser.load(id);
  }
}
