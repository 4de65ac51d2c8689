import { isOpen, type HandoffAgent, type HandoffEndReason, type HandoffRecord } from '../../handoff';
import { isUpTo, type Instant, type ProviderMessageId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { SessionTransaction, LockedSession, SyncRequests } from '../../ports/session-transaction';
import type { LastEnding, SessionRecord } from '../../session';
import type { FlowDeps } from '../deps';

/**
 * For how long the conversation of an ended handoff counts as about to be returned. A lane may stand still for days,
 * and an agent who continues to write all that time has the conversation again.
 */
const RETURN_WAIT_MS = 60_000;

const REASONS_WITHOUT_RETURN: readonly HandoffEndReason[] = ['AGENT_RESOLVED', 'AGENT_RETURNED', 'PROVIDER_LOST'];

/**
 * Returns whether the end of this handoff must wait for a sync: it is not ended by the agents, and agents can see the
 * conversation and may have written something that no sync has found yet.
 */
export function needsFinalSync(
  { session, inbox }: LockedSession,
  { state, openedForAgents }: HandoffRecord,
  reason: HandoffEndReason,
): boolean {
  const isShown = state !== 'REQUESTED' || openedForAgents !== 'NO';
  return (
    isShown && session.conversationId !== null && inbox.state !== 'DISABLED' && !REASONS_WITHOUT_RETURN.includes(reason)
  );
}

/**
 * Records, when a handoff begins to end, that agents' messages belong to it until its conversation is returned. Also
 * schedules a sync of messages.
 */
export async function recordEnding(
  tx: LockedSession & SyncRequests,
  { clock }: Pick<FlowDeps, 'clock'>,
  { id: handoffId }: HandoffRecord,
): Promise<void> {
  const at = instantOf(clock.now());
  await tx.updateSession({
    lastEnding: {
      handoffId,
      endedAt: at,
      returnedAt: null,
      throughMessageId: null,
      returnBegun: null,
      lastAgentMessage: null,
    },
  });
  await tx.requestSyncNow();
}

/** Returns whether the conversation of that handoff is still to be returned, as far as we know. */
export const isReturnPendingFor = (
  { lastEnding }: Pick<SessionRecord, 'lastEnding'>,
  handoffId: string | null,
): boolean => lastEnding !== null && lastEnding.handoffId === handoffId && lastEnding.returnedAt === null;

/**
 * Records where the conversation ended when an attempt to return it began, because an interrupted attempt may have
 * returned it.
 */
export async function noteReturnBegun(
  tx: LockedSession,
  handoffId: string | null,
  throughMessageId: ProviderMessageId | null,
): Promise<void> {
  if (isReturnPendingFor(tx.session, handoffId))
    await tx.updateSession({ lastEnding: { ...tx.session.lastEnding!, returnBegun: { throughMessageId } } });
}

/** Records an agent's message of the ended handoff, because the handoff may have ended before it. */
export async function recordLastAgentMessage(
  tx: LockedSession,
  handoffId: string | null,
  id: ProviderMessageId,
  agent: HandoffAgent,
): Promise<void> {
  if (isReturnPendingFor(tx.session, handoffId))
    await tx.updateSession({ lastEnding: { ...tx.session.lastEnding!, lastAgentMessage: { id, agent } } });
}

/** Returns whether an agent sent this message after the return, while the handoff is still ENDING. */
export const isAfterReturn = (
  { lastEnding }: Pick<SessionRecord, 'lastEnding'>,
  live: HandoffRecord | null,
  id: ProviderMessageId,
): boolean =>
  live?.state === 'ENDING' &&
  lastEnding?.handoffId === live.id &&
  lastEnding.returnedAt !== null &&
  !REASONS_WITHOUT_RETURN.includes(live.endReason!) &&
  !isUpTo(id, lastEnding.throughMessageId);

/**
 * Records that agents ended the handoff themselves. A message before the newest one of that sync may still become
 * visible.
 */
export async function recordEndingByAgents(
  tx: LockedSession,
  handoffId: string,
  at: Instant,
  throughMessageId: ProviderMessageId | null,
): Promise<void> {
  await tx.updateSession({
    lastEnding: { handoffId, endedAt: at, returnedAt: at, throughMessageId, returnBegun: null, lastAgentMessage: null },
  });
}

/** Forgets an ending whose conversation need not be returned, because an agent has it again. */
export async function clearLastEnding(tx: LockedSession): Promise<void> {
  if (tx.session.lastEnding !== null && tx.session.lastEnding.returnedAt === null)
    await tx.updateSession({ lastEnding: null });
}

/**
 * Returns whether the conversation's state may be that of the last handoff, because our return of it is still running.
 */
export function isReturnInProgress({ lastEnding }: Pick<SessionRecord, 'lastEnding'>, now: number): boolean {
  return (
    lastEnding !== null && lastEnding.returnedAt === null && now - Date.parse(lastEnding.endedAt) <= RETURN_WAIT_MS
  );
}

/**
 * Returns the ended handoff that an agent's message belongs to, or null if the message is new. The message's position
 * among the provider's messages decides. Only if the return was slow does its time decide: a message from long after
 * the end is new.
 */
export function endedHandoffOf(
  { session, liveHandoff, inbox }: Pick<SessionTransaction, 'session' | 'liveHandoff' | 'inbox'>,
  now: number,
  { id, at }: { readonly id: ProviderMessageId; readonly at: Instant },
): string | null {
  const { lastEnding } = session;
  if (lastEnding === null || lastEnding.handoffId === liveHandoff?.id) return null;
  if (liveHandoff === null && inbox.state === 'DISABLED') return lastEnding.handoffId;
  const { returnedAt, throughMessageId } = lastEnding;
  if (returnedAt !== null && !isUpTo(id, throughMessageId)) return null;
  return isLongAfter(lastEnding, at) && isLongAfter(lastEnding, returnedAt ?? instantOf(now))
    ? null
    : lastEnding.handoffId;
}

const isLongAfter = ({ endedAt }: LastEnding, at: Instant): boolean =>
  Date.parse(at) - Date.parse(endedAt) > RETURN_WAIT_MS;

/**
 * Returns whether the ending's sync is done: a sync that began after the handoff had begun to end has shown all earlier
 * messages. `asOf`: the session as it was before that sync.
 */
export const isSyncedEnding = (live: HandoffRecord | null, asOf: SessionRecord): live is HandoffRecord =>
  live !== null && !isOpen(live.state) && live.syncBy !== null && asOf.lastEnding?.handoffId === live.id;
