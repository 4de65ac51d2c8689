import { ProviderRefusedError, SupportDisabledError } from '../errors';
import type { ProviderDelivery } from '../delivery';
import type { OrganizationId, ProviderContactId, ProviderMessageId, SessionId } from '../ids';
import { instantOf } from '../ports/clock';
import type { ConversationAccess, InboxAccess } from '../ports/provider/access';
import type { ConversationView } from '../conversation-view';
import type { SupportProvider } from '../ports/provider/support-provider';
import type { SessionTransaction } from '../ports/session-transaction';
import type { SessionRecord } from '../session';
import type { AccountRecord, InboxRecord } from '../setup';
import { createTimeLimit } from '../time-limit';
import type { Lease } from './lease';
import { inboxAccessOf, type FlowDeps } from './deps';
import { CONTACT_DROPPED, droppedNote } from './dropped-note';
import { canonicalJson } from './canonical-json';

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

/** Everything that provider calls about this Session need. @throws ProviderRefusedError when set-up is not there, SupportDisabledError when it is switched off */
export async function loadProviderContext(
  deps: FlowDeps,
  organizationId: OrganizationId,
  sessionId: SessionId,
): Promise<ProviderContext> {
  const asOf = deps.clock.now();
  const session = await deps.stores.sessions.get(organizationId, sessionId);
  const inbox = session && (await deps.stores.setup.findInbox(organizationId, session.inboxId));
  const account = inbox && (await deps.stores.setup.findAccount(organizationId, inbox.accountId));
  const provider = account && deps.providers.get(account.provider);
  if (!session || !inbox || !account || !provider)
    throw new ProviderRefusedError(
      "The session's inbox or account is gone, or its provider is not registered in this process.",
    );
  if (inbox.state === 'DISABLED' || account.state === 'DISABLED')
    throw new SupportDisabledError(
      `Support is disabled for chatbot ${inbox.chatbotId}; nothing is sent to or read from its provider.`,
    );
  return { provider: provider.instance, account, inbox, session, loadedAt: asOf };
}

/** Of calls that need no lease: readings only look. */
export const createCallSignal = (deps: FlowDeps) => () => createTimeLimit(deps.limits.callMs);

/**
 * The link to the provider's conversation, or null while there is none.
 * @param isBackground nobody waits for what is called with it
 */
export function conversationAccessOf(
  deps: FlowDeps,
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

/** The same for a delivery: null, too, if it was enqueued for a conversation that is not the Session's any more. */
export const conversationFor = (
  deps: FlowDeps,
  context: ProviderContext,
  { conversationId }: Pick<ProviderDelivery, 'conversationId'>,
): ConversationAccess | null =>
  conversationId !== null && conversationId !== context.session.conversationId
    ? null
    : conversationAccessOf(deps, context);

/** Where an earlier try of a delivery is looked for: what was read before it was enqueued is surely older. Null: from the start. */
export const lookAfterOf = (
  { conversationId, lookupAfter }: Pick<ProviderDelivery, 'conversationId' | 'lookupAfter'>,
  to: ConversationAccess,
): ProviderMessageId | null => (conversationId === to.conversationId ? lookupAfter : null);

/** A sync has found the conversation deleted while it was written to: what was written there counts for nothing. */
export const deletedMeanwhile = () =>
  new ProviderRefusedError('The conversation was deleted while it was written to.', { gone: true });

/**
 * Contact and conversation, each stored as soon as it is known, so that a restart continues behind it.
 * @param onMade runs in the transaction that records a conversation which was made, or found, just now
 */
export async function ensureConversation(
  deps: FlowDeps,
  context: ProviderContext,
  firstTry: boolean,
  lease: Lease,
  onMade: (tx: SessionTransaction) => Promise<void> = async () => undefined,
): Promise<ConversationAccess> {
  const { provider, account, inbox, session, loadedAt } = context;
  const access = inboxAccessOf(deps, account, inbox);
  if (access === null)
    throw new ProviderRefusedError(
      `Inbox ${inbox.id} is ${inbox.state} and not connected to the provider; call enableChatbotSupport again.`,
    );
  const { sessions } = deps.stores;

  let { contactId, conversationId } = session;
  if (contactId === null) {
    contactId = await ensureContact(deps, context, access, lease);
  }
  if (conversationId === null) {
    // Only the very first try of the very first turn cannot have left one behind: nothing but the opening and that turn has happened.
    const mayExist = !(firstTry && session.lastEventSeq <= 2);
    await lease.ensureHeld();
    conversationId = await provider.openConversation(
      { inbox: access, contactId, sessionId: session.id, mayExist },
      lease.signal(deps.limits.callMs),
    );
    await sessions.transact(session.organizationId, session.id, async tx => {
      await tx.updateSession({ conversationId, lastView: UNTOUCHED_VIEW, syncCursor: null });
      // One that was there unlinked may have been spoken in: hints of that led nowhere.
      if (mayExist) await tx.requestSync(instantOf(deps.clock.now()));
      await onMade(tx);
    });
  }
  return {
    inbox: access,
    contactId,
    conversationId,
    sessionId: session.id,
    recentPosts: { at: session.recentPosts, asOf: loadedAt },
  };
}

async function ensureContact(
  deps: FlowDeps,
  { provider, account, session }: ProviderContext,
  access: InboxAccess,
  lease: Lease,
): Promise<ProviderContactId> {
  const dropped: string[] = [];
  await lease.ensureHeld();
  const contactId = await provider.ensureContact(
    access,
    session.id,
    session.endUser,
    lease.signal(deps.limits.callMs),
    line => {
      dropped.push(line);
    },
  );
  await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    // Of a contact that stands since an earlier conversation we know what we wrote last.
    const contactEndUser = tx.session.contactEndUser ?? session.endUser;
    await tx.updateSession({ contactId, contactEndUser });
    if (dropped.length > 0 && account.capabilities.privateNotes)
      await tx.enqueueForProvider(droppedNote(`contact:${deps.clock.newId()}`, CONTACT_DROPPED, dropped));
    // What was learned while the contact was being made.
    if (canonicalJson(contactEndUser) !== canonicalJson(tx.session.endUser))
      await tx.enqueueForProvider({ kind: 'UPDATE_CONTACT' });
  });
  return contactId;
}

const MINUTE_MS = 60_000;

/** Remembers a post into the conversation, in the transaction that records it: other processes post there too, and must know. */
export async function recordPostTime(tx: SessionTransaction, deps: Pick<FlowDeps, 'clock'>): Promise<void> {
  const now = deps.clock.now();
  await tx.updateSession({ recentPosts: [...tx.session.recentPosts.filter(at => at > now - MINUTE_MS), now] });
}

/**
 * Changes the provider's status between an odd and an even `statusWrites`: a reading that overlaps sees that its view
 * is worth nothing (a seqlock). A crash leaves it odd until the delivery is tried again.
 * @param also what the next try must know, recorded in the same transaction
 */
export async function beginStatusWrite(
  deps: FlowDeps,
  session: SessionRecord,
  also?: (tx: SessionTransaction) => Promise<void>,
): Promise<void> {
  await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    await beginStatusWriteIn(tx);
    await also?.(tx);
  });
}

/** The same, in a transaction that does more. */
export async function beginStatusWriteIn(tx: SessionTransaction): Promise<void> {
  await tx.updateSession({ statusWrites: oddAfter(tx.session.statusWrites) });
}

export const oddAfter = (statusWrites: number): number => (statusWrites % 2 === 1 ? statusWrites : statusWrites + 1);

/** The other half, in the transaction that records what the write meant. */
export const endedStatusWrites = (statusWrites: number): number =>
  statusWrites % 2 === 0 ? statusWrites : statusWrites + 1;
