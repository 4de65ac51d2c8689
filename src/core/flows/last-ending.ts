import { isOpen, type HandoffAgent, type HandoffEndReason, type HandoffRecord } from '../handoff';
import { isUpTo, type Instant, type ProviderMessageId } from '../ids';
import { instantOf } from '../ports/clock';
import type { SessionTransaction } from '../ports/stores';
import type { LastEnding, SessionRecord } from '../session';
import type { FlowDeps } from './deps';

/**
 * For how long the conversation of an ended handoff counts as one that we are about to give back. A lane may stand still
 * for days, and an agent who goes on talking all that while has the conversation again.
 */
const AWAITED_MS = 60_000;

const BY_AGENTS_OR_LOSS: readonly HandoffEndReason[] = ['AGENT_RESOLVED', 'AGENT_RETURNED', 'PROVIDER_LOST'];

/**
 * Whether the end of this handoff has to wait for a sync: somebody else than the agents ends it, and agents can see the
 * conversation and may have said something that no sync has shown yet.
 */
export function endsWithSync({ session, inbox }: SessionTransaction, { state, openedForAgents }: HandoffRecord, reason: HandoffEndReason): boolean {
  const isShown = state !== 'REQUESTED' || openedForAgents !== 'NO';
  return isShown && session.conversationId !== null && inbox.state !== 'DISABLED' && !BY_AGENTS_OR_LOSS.includes(reason);
}

/** Notes, when a handoff begins to end, that agents' words belong to it until its conversation has been given back. */
export async function beginLastEnding(tx: SessionTransaction, { clock }: Pick<FlowDeps, 'clock'>, { id: handoffId }: HandoffRecord): Promise<void> {
  const at = instantOf(clock.now());
  await tx.updateSession({ lastEnding: { handoffId, endedAt: at, returnedAt: null, throughMessageId: null, returnBegun: null, lastWord: null } });
  await tx.wantReadingNow();
}

/** Whether the conversation of that handoff is still to be given back, as far as we know. */
export const awaitsReturnOf = ({ lastEnding }: Pick<SessionRecord, 'lastEnding'>, handoffId: string | null): boolean =>
  lastEnding !== null && lastEnding.handoffId === handoffId && lastEnding.returnedAt === null;

/** Notes where the conversation ended when a try to give it back began: a try that is cut off may have given it back. */
export async function noteReturnBegun(tx: SessionTransaction, handoffId: string | null, throughMessageId: ProviderMessageId | null): Promise<void> {
  if (awaitsReturnOf(tx.session, handoffId)) await tx.updateSession({ lastEnding: { ...tx.session.lastEnding!, returnBegun: { throughMessageId } } });
}

/** Notes a word of the ended handoff: where its conversation ends may turn out to be before it. */
export async function noteWord(tx: SessionTransaction, handoffId: string | null, id: ProviderMessageId, agent: HandoffAgent): Promise<void> {
  if (awaitsReturnOf(tx.session, handoffId)) await tx.updateSession({ lastEnding: { ...tx.session.lastEnding!, lastWord: { id, agent } } });
}

/** Whether an agent said this after the conversation of a handoff was given back that is still ENDING. */
export const isAfterReturn = ({ lastEnding }: Pick<SessionRecord, 'lastEnding'>, live: HandoffRecord | null, id: ProviderMessageId): boolean =>
  live?.state === 'ENDING' && lastEnding?.handoffId === live.id && lastEnding.returnedAt !== null && !BY_AGENTS_OR_LOSS.includes(live.endReason!)
  && !isUpTo(id, lastEnding.throughMessageId);

/** Notes that agents ended the handoff themselves: a message below the newest of that sync may become visible late. */
export async function endedByAgents(tx: SessionTransaction, handoffId: string, at: Instant, throughMessageId: ProviderMessageId | null): Promise<void> {
  await tx.updateSession({ lastEnding: { handoffId, endedAt: at, returnedAt: at, throughMessageId, returnBegun: null, lastWord: null } });
}

/** Forgets an ending whose conversation is not given back any more: agents who speak now have it. */
export async function forgetReturn(tx: SessionTransaction): Promise<void> {
  if (tx.session.lastEnding !== null && tx.session.lastEnding.returnedAt === null) await tx.updateSession({ lastEnding: null });
}

/** Whether what the conversation's state shows is what the last handoff left, because our own return of it is under way. */
export function isReturnAwaited({ lastEnding }: Pick<SessionRecord, 'lastEnding'>, now: number): boolean {
  return lastEnding !== null && lastEnding.returnedAt === null && now - Date.parse(lastEnding.endedAt) <= AWAITED_MS;
}

/**
 * The ended handoff to which an agent's message belongs, or null when it is news. Its place among the provider's messages
 * decides. Only where we were slow to give the conversation back, its time does: what was said long after the end is news.
 */
export function endedHandoffOf({ session, liveHandoff, inbox }: Pick<SessionTransaction, 'session' | 'liveHandoff' | 'inbox'>, now: number, { id, at }: { readonly id: ProviderMessageId; readonly at: Instant }): string | null {
  const { lastEnding } = session;
  if (lastEnding === null || lastEnding.handoffId === liveHandoff?.id) return null;
  if (liveHandoff === null && inbox.state === 'DISABLED') return lastEnding.handoffId;
  const { returnedAt, throughMessageId } = lastEnding;
  if (returnedAt !== null && !isUpTo(id, throughMessageId)) return null;
  return isLongAfter(lastEnding, at) && isLongAfter(lastEnding, returnedAt ?? instantOf(now)) ? null : lastEnding.handoffId;
}

const isLongAfter = ({ endedAt }: LastEnding, at: Instant): boolean => Date.parse(at) - Date.parse(endedAt) > AWAITED_MS;

/** A sync that began after the handoff had begun to end has shown all that was said by then. `asOf`: the Session as it was before that sync. */
export const isSyncedEnding = (live: HandoffRecord | null, asOf: SessionRecord): live is HandoffRecord =>
  live !== null && !isOpen(live.state) && live.syncBy !== null && asOf.lastEnding?.handoffId === live.id;
