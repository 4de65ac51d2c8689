import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root, Subscription } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import type { AgentRecord } from '../../core/setup';
import type { SessionRecord } from '../../core/session';
import { OperationContext } from '../operation/context';
import { typingAgents, type TypingItem, type TypingScope } from './typing-agents';
import { SupportSession } from '../sessions/types';
import { SupportAgent } from '../setup/types';
import { SetSupportTypingInput, SetSupportTypingPayload, SupportTyping } from './types';
import { runMutation } from '../shared/run-mutation';
import { withFreshLoaders, type SubscribeArgs } from '../operation/with-fresh-loaders';

@Resolver()
export class TypingResolver {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => SetSupportTypingPayload, {
    description:
      'Shows agents that the end-user is typing. Ephemeral: it is not stored, needs no idempotency key, and never waits for the provider.',
  })
  setSupportTyping(
    @Arg('input', () => SetSupportTypingInput) { sessionId, isTyping }: SetSupportTypingInput,
    @Ctx() context: OperationContext,
  ): Promise<SetSupportTypingPayload> {
    return runMutation(context, 'RUNTIME', { isForwarded: false }, async scope =>
      this.flows.setTyping(scope, { sessionId, isTyping }),
    );
  }

  @Subscription(() => SupportTyping, {
    description:
      'Follows agents who type to end-users: in one session, in all sessions of a chatbot, or, with neither, in the organization. There is no snapshot; without further news, an agent counts as stopped after 30 seconds. Reports at most 50 agents at a time in one session, and 1,000 in several.',
    subscribe: ({ args, context }: SubscribeArgs<Partial<TypingScope>>) =>
      withFreshLoaders(
        context,
        typingAgents(context.live, context.scope('SUBSCRIBE'), {
          sessionId: args.sessionId ?? null,
          chatbotId: args.chatbotId ?? null,
        }),
      ),
  })
  supportTyping(
    @Root() item: TypingItem,
    @Arg('sessionId', () => ID, { nullable: true, description: 'Do not combine with chatbotId.' }) _sessionId:
      | string
      | null,
    @Arg('chatbotId', () => ID, { nullable: true, description: 'Do not combine with sessionId.' }) _chatbotId:
      | string
      | null,
  ): TypingItem {
    return item;
  }
}

@Resolver(() => SupportTyping)
export class SupportTypingFields {
  @FieldResolver(() => SupportSession)
  session(@Root() { sessionId }: TypingItem, @Ctx() context: OperationContext): Promise<SessionRecord | null> {
    return context.loaders.session.load(sessionId);
  }

  @FieldResolver(() => SupportAgent, { nullable: true, description: 'Null if the agent is not listed yet.' })
  async agent(@Root() { agentId }: TypingItem, @Ctx() context: OperationContext): Promise<AgentRecord | null> {
    return agentId === null ? null : context.loaders.agent.load(agentId);
  }
}
