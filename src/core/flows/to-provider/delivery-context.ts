import type { ProviderDelivery } from '../../delivery';
import { ProviderRefusedError, UnsupportedByProviderError } from '../../errors';
import type { HandoffRecord } from '../../handoff';
import type { ProviderMessageId } from '../../ids';
import type { ConversationAccess } from '../../ports/provider/access';
import type { SessionTransaction, LockedSession } from '../../ports/session-transaction';
import type { FlowDeps } from '../deps';
import type { Lease } from '../lease';
import { conversationAccessOf, type ProviderContext } from '../provider-context';
import { oddAfter } from '../status-writes';
import { leaseProvider, type LeasedProvider } from './leased-provider';

/**
 * Everything that one delivery needs, read once at its beginning. Use it only to prepare remote calls: the transaction
 * that records the result decides from the rows that it reads under the session's lock.
 */
export interface DeliveryContext extends Omit<ProviderContext, 'provider'> {
  /** Its stores prove the claim in each transaction. */
  readonly deps: FlowDeps;
  readonly delivery: ProviderDelivery;
  readonly isFirstAttempt: boolean;
  /** Its verbs check the lease. */
  readonly provider: LeasedProvider;
  /** Whether the account's changed conversations can be listed. */
  readonly canBeScanned: boolean;
  /** The handoff that the delivery names; null: it names none, or there is none. */
  readonly handoff: HandoffRecord | null;
  readonly liveHandoff: HandoffRecord | null;
  /** The session's conversation; null: there is none yet, or no longer. */
  readonly conversation: ConversationAccess | null;
  /** Ends the delivery early, before work that takes long or that a stopped process should not begin. */
  ensureHeld(): Promise<void>;
  /** Runs a transaction over the delivery's session. */
  transact<T>(work: (tx: SessionTransaction) => Promise<T>): Promise<T>;
}

/** Creates the context. Called once per delivery, with stores that prove its claim. */
export function createDeliveryContext(
  deps: FlowDeps,
  delivery: ProviderDelivery,
  lease: Lease,
  read: ProviderContext & Pick<DeliveryContext, 'handoff' | 'liveHandoff'>,
): DeliveryContext {
  const { sessions } = deps.stores;
  return {
    ...read,
    deps,
    delivery,
    isFirstAttempt: delivery.previousAttempts === 0,
    provider: leaseProvider(read.provider, lease, deps.limits),
    canBeScanned: read.provider.listChangedConversations !== undefined,
    conversation: conversationAccessOf(deps, read),
    ensureHeld: () => lease.ensureHeld(),
    transact: async work => (await sessions.transact(delivery.organizationId, delivery.sessionId, work)).result,
  };
}

/**
 * Returns the conversation of the delivery; null also if it was enqueued for one that is not the session's any more.
 */
export const conversationOfDelivery = ({
  conversation,
  delivery: { conversationId },
  session,
}: DeliveryContext): ConversationAccess | null =>
  conversationId !== null && conversationId !== session.conversationId ? null : conversation;

/** Returns whether the delivery was enqueued for a conversation that was lost since. */
export const isConversationLost = (context: DeliveryContext): boolean =>
  context.delivery.conversationId !== null && conversationOfDelivery(context) === null;

/**
 * Returns where an earlier attempt is looked up: messages that were synced before the delivery was enqueued are
 * older. Null: from the start.
 */
export const lookupAfterOf = (
  { delivery: { conversationId, lookupAfter } }: DeliveryContext,
  to: ConversationAccess,
): ProviderMessageId | null => (conversationId === to.conversationId ? lookupAfter : null);

/**
 * Records the result of a write into a conversation.
 * @throws ProviderRefusedError `gone` if a sync found meanwhile that the conversation was deleted, so the write is lost
 */
export const recordWrite = (
  context: DeliveryContext,
  { conversationId }: ConversationAccess,
  work: (tx: SessionTransaction) => Promise<void>,
): Promise<void> =>
  context.transact(async tx => {
    if (tx.session.conversationId !== conversationId)
      throw new ProviderRefusedError('The conversation was deleted while it was written to.', { gone: true });
    await work(tx);
  });

/**
 * Marks that this service writes the provider's status: `statusWrites` is odd until the write is over. A sync that
 * overlaps does not use its view (a seqlock). After a crash it stays odd until the delivery is
 * retried. Called before each status write.
 * @param also records what the next attempt must know, in the same transaction
 */
export const beginStatusWrite = (
  { transact }: Pick<DeliveryContext, 'transact'>,
  also?: (tx: SessionTransaction) => Promise<void>,
): Promise<void> =>
  transact(async tx => {
    await tx.updateSession({ statusWrites: oddAfter(tx.session.statusWrites) });
    await also?.(tx);
  });

const MINUTE_MS = 60_000;

/**
 * Remembers a post into the conversation, in the transaction that records it, because other processes post there too
 * and have to know.
 */
export async function recordPostTime(tx: LockedSession, deps: Pick<FlowDeps, 'clock'>): Promise<void> {
  const now = deps.clock.now();
  await tx.updateSession({ recentPosts: [...tx.session.recentPosts.filter(at => at > now - MINUTE_MS), now] });
}

/** Returns whether the provider never accepts a write, although its conversation exists. */
export const isRefused = (error: unknown): error is ProviderRefusedError | UnsupportedByProviderError =>
  error instanceof UnsupportedByProviderError || (error instanceof ProviderRefusedError && !error.gone);
