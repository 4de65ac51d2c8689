import type { EndUser } from '../../../src/core/session';
import type { HandoffPriority } from '../../../src/core/handoff';
import type { MessageAuthor, MessageVisibility } from '../../../src/core/message';
import type { ProviderAgent } from '../../../src/core/ports/provider/setup-verbs';
import type { ProviderStatus } from '../../../src/core/conversation-view';
import { ProviderAuthError, ProviderRefusedError, ProviderUnavailableError } from '../../../src/core/errors';
import type { ProviderFault } from '../../../src/providers/testing/harness';

export interface ToyMessage {
  readonly id: number;
  readonly ourId: string | null;
  readonly author: MessageAuthor;
  readonly agent: ProviderAgent | null;
  readonly visibility: MessageVisibility;
  readonly text: string;
  readonly at: string;
}
export interface ToyConversation {
  readonly id: string;
  readonly sessionId: string;
  readonly messages: ToyMessage[];
  status: ProviderStatus;
  agent: ProviderAgent | null;
  priority: HandoffPriority | null;
}
export interface ToyAccount {
  readonly id: string;
  readonly agents: ProviderAgent[];
  readonly inboxes: Map<string, { readonly id: string; name: string }>;
  readonly contacts: Map<string, EndUser>;
  readonly conversations: Map<string, ToyConversation>;
}

/** A support system in memory; it forgets everything when the process ends. */
export class ToySupportSystem {
  static readonly byAddress = new Map<string, ToySupportSystem>();
  readonly accounts = new Map<string, ToyAccount>();
  fault: ProviderFault | null = null;
  private lastId = 0;

  nextId(): number {
    return ++this.lastId;
  }

  /** Called at every call of a provider. Agents bypass it. */
  async request<T>(signal: AbortSignal, work: () => T): Promise<T> {
    if (signal.aborted) throw new ProviderUnavailableError('The time for this call is over.', { cause: signal.reason });
    const fault = this.fault;
    this.fault = null;
    if (fault === 'unavailable') throw new ProviderUnavailableError('The toy is down.');
    if (fault === 'auth') throw new ProviderAuthError('The toy does not know us any more.');
    const answer = work();
    if (fault === 'appliedThenCut') throw new ProviderUnavailableError('The answer was cut.', { delivered: 'unknown' });
    return answer;
  }

  account(id: string | null): ToyAccount {
    const account = this.accounts.get(id ?? '');
    if (!account) throw new ProviderRefusedError('No such account.', { gone: true });
    return account;
  }

  conversation(accountId: string | null, id: string): ToyConversation {
    const conversation = this.account(accountId).conversations.get(id);
    if (!conversation) throw new ProviderRefusedError('No such conversation.', { gone: true });
    return conversation;
  }

  say(
    conversation: ToyConversation,
    message: Pick<ToyMessage, 'ourId' | 'author' | 'agent' | 'visibility' | 'text'>,
  ): string {
    const id = this.nextId();
    conversation.messages.push({ ...message, id, at: new Date().toISOString() });
    return String(id);
  }
}
