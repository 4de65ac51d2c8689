import type { OpeningStep, ProviderWork } from '../../delivery';
import { isOpen, type HandoffRecord } from '../../handoff';
import type { HandoffId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { SessionTransaction, LockedSession, SyncRequests } from '../../ports/session-transaction';
import { accessOf, type StoreDeps } from '../deps';
import { droppedNote } from '../dropped-note';
import { timerSyncDelayMs } from '../from-provider/scan-account';
import { transitionHandoff, sendLineToEndUser } from '../handoff/transition';
import { trustedLastView } from '../handoff/while-disabled';
import { UNTOUCHED_VIEW, isUntouched } from '../provider-context';
import { endedStatusWrites, oddAfter } from '../status-writes';
import { postContextNote } from './context-note';
import { beginStatusWrite, isRefused, recordWrite, type DeliveryContext } from './delivery-context';
import { ensureConversation, linkConversation } from './ensure-conversation';
import { openWithAcceptedTarget, type OpenedConversation } from './open-with-target';

type HandoffStep = Exclude<OpeningStep, { readonly kind: 'POST_TRANSCRIPT' }>;

export const isHandoffStep = (work: ProviderWork): work is HandoffStep =>
  work.kind === 'RETURN_TO_BOT' || work.kind === 'POST_CONTEXT_NOTE' || work.kind === 'OPEN_HANDOFF';

/**
 * Returns whether a step of a handoff's opening is still needed. It is not once the handoff is open. A parked
 * note is posted all the same when it is resent.
 */
export function isStepWanted(handoff: HandoffRecord | null, { kind }: HandoffStep): handoff is HandoffRecord {
  if (handoff === null) return false;
  const isOpened = handoff.openedForAgents === 'YES';
  return kind === 'POST_CONTEXT_NOTE' ? isOpened || isOpen(handoff.state) : !isOpened && isOpen(handoff.state);
}

/**
 * Executes one step of a handoff's opening, other than its history. Drops a step that is no longer needed; a later
 * delivery returns the conversation.
 */
export async function takeOpeningStep(context: DeliveryContext, step: HandoffStep): Promise<void> {
  const { handoff } = context;
  if (!isStepWanted(handoff, step)) return linkConversation(context);
  switch (step.kind) {
    case 'RETURN_TO_BOT':
      return returnToBot(context);
    case 'POST_CONTEXT_NOTE':
      return postContextNote(context, handoff);
    case 'OPEN_HANDOFF':
      return openHandoff(context, handoff.id);
  }
}

/** Removes what an earlier handoff left. If the provider refuses, the conversation is opened with what is on it. */
async function returnToBot(context: DeliveryContext): Promise<void> {
  const { provider, inbox, session, conversation } = context;
  // A return that was delivered before this one has done it.
  if (conversation === null || isUntouched(trustedLastView(inbox, session))) return;
  await beginStatusWrite(context);
  let isDone = true;
  try {
    await provider.returnToBot(conversation);
  } catch (error) {
    if (!isRefused(error)) throw error;
    isDone = false;
  }
  await recordWrite(context, conversation, tx =>
    tx.updateSession({
      statusWrites: endedStatusWrites(tx.session.statusWrites),
      ...(isDone && { lastView: UNTOUCHED_VIEW }),
    }),
  );
}

/** Opens the conversation to agents: everything that they should read first is posted by now. */
async function openHandoff(context: DeliveryContext, handoffId: HandoffId): Promise<void> {
  const { deps, provider, account } = context;
  const conversation = await ensureConversation(context);
  await context.ensureHeld();
  const begun = await beginOpening(context, handoffId);
  if (begun === null) return;
  const { handoff } = begun;
  // An earlier attempt may have opened it. Do not reopen a conversation that agents have resolved since.
  const isFinished =
    handoff.openedForAgents === 'MAYBE' &&
    handoff.state !== 'REQUESTED' &&
    (await provider.readConversation(conversation)).status === 'RESOLVED';
  const opened = await openWithAcceptedTarget(context, conversation, handoff, isFinished);
  await recordWrite(context, conversation, async tx => {
    await tx.updateSession({ statusWrites: endedStatusWrites(tx.session.statusWrites) });
    // Another replica has opened it first. Its result stays.
    if ((await tx.findHandoff(handoffId))?.openedForAgents === 'YES') return;
    await recordOpened(tx, deps, handoffId, opened, account.capabilities.privateNotes);
    if (tx.liveHandoff?.id === handoffId && isOpen(tx.liveHandoff.state))
      await requestSyncOfOpened(tx, context, opened, begun);
  });
}

interface BegunOpening {
  readonly handoff: HandoffRecord;
  /** When the opening began; a hint that comes during it raises the session's count. */
  readonly stateHintCount: number;
}

/**
 * Records that the handoff may be open from now on. Null: it ended before this transaction, so nobody waits for agents,
 * and they must not see it.
 */
const beginOpening = ({ transact }: DeliveryContext, handoffId: HandoffId): Promise<BegunOpening | null> =>
  transact(async tx => {
    const live = tx.liveHandoff;
    if (live === null || live.id !== handoffId || !isOpen(live.state)) return null;
    await tx.updateSession({ statusWrites: oddAfter(tx.session.statusWrites) });
    if (live.openedForAgents === 'NO') await tx.updateHandoff(handoffId, { openedForAgents: 'MAYBE' });
    return { handoff: live, stateHintCount: tx.session.stateHintCount };
  });

/**
 * Requests the first sync after the opening. Usually a timer is enough, because webhooks report what agents do. The
 * conversation is synced at once if the account cannot reach this service, if this service assigned an agent, if this
 * is a repeated attempt, or if a hint came during the opening.
 */
async function requestSyncOfOpened(
  tx: LockedSession & SyncRequests,
  { deps, account, canBeScanned, isFirstAttempt }: DeliveryContext,
  { hasAgent }: OpenedConversation,
  { stateHintCount }: BegunOpening,
): Promise<void> {
  const isWebhookExpected =
    accessOf(deps, account).webhookUrl !== '' &&
    !hasAgent &&
    isFirstAttempt &&
    tx.session.stateHintCount === stateHintCount;
  const now = deps.clock.now();
  const timerMs = timerSyncDelayMs({
    canBeScanned,
    liveScanIntervalMs: deps.limits.liveScanIntervalMs,
    random: deps.clock.random(),
  });
  await tx.requestSync(instantOf(isWebhookExpected ? now + timerMs : now), isWebhookExpected ? 'TIMER' : 'ALL');
}

const TARGET_DROPPED =
  'Not all that was asked for could be set here; the conversation is open to everybody who sees this inbox:';

async function recordOpened(
  tx: SessionTransaction,
  deps: StoreDeps,
  handoffId: HandoffId,
  opened: OpenedConversation,
  showsNotes: boolean,
): Promise<void> {
  await tx.updateSession({ lastView: opened.view, stateReadAt: instantOf(deps.clock.now()) });
  const live = tx.liveHandoff;
  // Ended in the meantime: the delivery after this one returns the conversation.
  if (live === null || live.id !== handoffId || !isOpen(live.state)) return;
  const shown = await tx.updateHandoff(handoffId, { openedForAgents: 'YES' });
  if (opened.droppedLines.length > 0 && showsNotes)
    await tx.enqueueForProvider(droppedNote(`target:${handoffId}`, TARGET_DROPPED, opened.droppedLines));
  const accepted = await transitionHandoff(tx, deps, shown, 'PROVIDER_ACCEPTED');
  // Sent once per handoff, after the opening and before an agent has replied.
  if (accepted.state === 'QUEUED' && live.queuedAt === null)
    await sendLineToEndUser(tx, deps, tx.inbox.policy.lines.queued, accepted);
}
