import { instantOf, type Clock } from '../core/ports/clock';
import type { SessionStore } from '../core/ports/session-store';
import type { SetupStore } from '../core/ports/stores';
import type { WebhookHint } from '../core/ports/provider/webhook';
import type { TypingBoard } from '../core/ports/typing';
import type { AccountRecord } from '../core/setup';

export interface TypingDeps {
  readonly stores: {
    readonly sessions: Pick<SessionStore, 'findByConversation'>;
    readonly setup: Pick<SetupStore, 'findAgent'>;
  };
  readonly clock: Pick<Clock, 'now'>;
  readonly board: TypingBoard;
}

type Typing = Extract<WebhookHint, { readonly kind: 'typing' }>;

/** Reports that an agent types, while the bot does not have control. Stores nothing. */
export async function recordTyping(
  { stores, clock, board }: TypingDeps,
  account: AccountRecord,
  hint: Typing,
): Promise<'typing' | 'unknownConversation' | 'ignored'> {
  const session = await stores.sessions.findByConversation(account.id, hint.conversationId);
  if (session === null) return 'unknownConversation';
  if (session.control === 'BOT' || session.closedAt !== null) return 'ignored';
  const agent = await stores.setup.findAgent(account.id, hint.agentId);
  const { id: sessionId, organizationId, chatbotId } = session;
  board.agentTyping({
    organizationId,
    chatbotId,
    sessionId,
    externalId: hint.agentId,
    agentId: agent?.id ?? null,
    isTyping: hint.isTyping,
    at: instantOf(clock.now()),
  });
  return 'typing';
}
