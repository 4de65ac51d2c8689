import { ProviderRefusedError, SupportDisabledError } from '../errors';
import type { OrganizationId, SessionId } from '../ids';
import type { ConversationAccess } from '../ports/provider/access';
import type { ConversationView } from '../conversation-view';
import type { SupportProvider } from '../ports/provider/support-provider';
import type { SessionConnection } from '../ports/connection-store';
import type { SessionRecord } from '../session';
import type { AccountRecord, InboxRecord } from '../setup';
import { createTimeLimit } from '../time-limit';
import { inboxAccessOf, type FlowDeps, type ProviderDeps, type StoreDeps } from './deps';

/** A conversation that nobody has touched: held by the bot, nobody's. */
export const UNTOUCHED_VIEW: ConversationView = { status: 'BOT_HELD', agent: null, teamId: null };

export const isUntouched = (view: ConversationView | null): boolean =>
  view !== null && view.status === 'BOT_HELD' && view.agent === null && view.teamId === null && !view.hasResidue;

export interface ProviderContext {
  readonly provider: SupportProvider;
  readonly account: AccountRecord;
  readonly inbox: InboxRecord;
  readonly session: SessionRecord;
  /** When the Session was read; milliseconds since 1970. */
  readonly loadedAt: number;
}

/** Reads everything that provider calls about a session need, in one statement. Throws as `connectionOf`. */
export async function loadProviderContext(
  deps: ProviderDeps,
  organizationId: OrganizationId,
  sessionId: SessionId,
): Promise<ProviderContext> {
  const loadedAt = deps.clock.now();
  return connectionOf(deps, await deps.stores.connections.load(organizationId, sessionId, null), loadedAt);
}

/**
 * Checks a connection that was read at `loadedAt`, and finds its provider.
 * @throws ProviderRefusedError if a part of it is missing; SupportDisabledError if support is disabled
 */
export function connectionOf(
  deps: Pick<FlowDeps, 'providers'>,
  read: SessionConnection | null,
  loadedAt: number,
): ProviderContext {
  const { session, inbox, account } = read ?? { session: null, inbox: null, account: null };
  const provider = account && deps.providers.get(account.provider);
  if (!session || !inbox || !account || !provider)
    throw new ProviderRefusedError(
      "The session's inbox or account is gone, or its provider is not registered in this process.",
    );
  if (inbox.state === 'DISABLED' || account.state === 'DISABLED')
    throw new SupportDisabledError(
      `Support is disabled for chatbot ${inbox.chatbotId}; nothing is sent to or read from its provider.`,
    );
  return { provider: provider.instance, account, inbox, session, loadedAt };
}

/** Of calls that need no lease: readings only look. */
export const createCallSignal = (deps: StoreDeps) => () => createTimeLimit(deps.limits.callMs);

/**
 * The link to the provider's conversation, or null while there is none.
 * @param isBackground nobody waits for what is called with it
 */
export function conversationAccessOf(
  deps: ProviderDeps,
  { account, inbox, session, loadedAt }: ProviderContext,
  isBackground = false,
): ConversationAccess | null {
  const found = inboxAccessOf(deps, account, inbox);
  const access = found && isBackground ? { ...found, account: { ...found.account, isBackground } } : found;
  if (access === null || session.contactId === null || session.conversationId === null) return null;
  return {
    inbox: access,
    contactId: session.contactId,
    conversationId: session.conversationId,
    sessionId: session.id,
    recentPosts: { at: session.recentPosts, asOf: loadedAt },
  };
}
