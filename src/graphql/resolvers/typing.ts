import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root, Subscription } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import type { AgentRecord } from '../../core/setup';
import type { SessionRecord } from '../../core/session';
import { OperationContext } from '../context';
import { agentsTyping, type TypingItem, type TypingOf } from '../live/typing';
import { SupportSession } from '../types/session';
import { SupportAgent } from '../types/setup';
import { SetSupportTypingInput, SetSupportTypingPayload, SupportTyping } from '../types/typing';
import { answer } from './answer';
import { fresh, type Subscribing } from './fresh';

@Resolver()
export class TypingResolver {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => SetSupportTypingPayload, { description: 'Shows agents that the end-user types. Ephemeral: stored nowhere, needs no key, and never waits for the provider.' })
  setSupportTyping(@Arg('input', () => SetSupportTypingInput) { sessionId, isTyping }: SetSupportTypingInput, @Ctx() context: OperationContext): Promise<SetSupportTypingPayload> {
    return answer(context, 'RUNTIME', { isShown: false }, async (scope) => this.flows.setTyping(scope, { sessionId, isTyping }));
  }

  @Subscription(() => SupportTyping, {
    description: 'Agents who write to end-users: of one session, of all sessions of a chatbot, or, given neither, of the organization. Starts with nothing; an agent of whom nothing more is heard stops after 30 seconds. Tells of at most 50 agents at a time in one session, and of 1,000 in many.',
    subscribe: ({ args, context }: Subscribing<Partial<TypingOf>>) => fresh(context, agentsTyping(context.live, context.scope('SUBSCRIBE'), { sessionId: args.sessionId ?? null, chatbotId: args.chatbotId ?? null })),
  })
  supportTyping(
    @Root() item: TypingItem, @Arg('sessionId', () => ID, { nullable: true, description: 'Not together with chatbotId.' }) _sessionId: string | null,
    @Arg('chatbotId', () => ID, { nullable: true, description: 'Not together with sessionId.' }) _chatbotId: string | null,
  ): TypingItem {
    return item;
  }
}

@Resolver(() => SupportTyping)
export class SupportTypingFields {
  @FieldResolver(() => SupportSession)
  session(@Root() { sessionId }: TypingItem, @Ctx() context: OperationContext): Promise<SessionRecord | null> { return context.loaders.session.load(sessionId); }

  @FieldResolver(() => SupportAgent, { nullable: true, description: 'Null: somebody who is not listed yet.' })
  async agent(@Root() { agentId }: TypingItem, @Ctx() context: OperationContext): Promise<AgentRecord | null> {
    return agentId === null ? null : context.loaders.agent.load(agentId);
  }
}
