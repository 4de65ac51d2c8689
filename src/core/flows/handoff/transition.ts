import { controlFor } from '../../control';
import { canMove, nextState, type HandoffCause } from '../../handoff-transitions';
import { isLive, isOpen, type HandoffAgent, type HandoffEndReason, type HandoffRecord } from '../../handoff';
import { instantOf } from '../../ports/clock';
import type {
  SessionTransaction,
  LockedSession,
  EventLog,
  DeliveryQueue,
  MessageRows,
} from '../../ports/session-transaction';
import type { FlowDeps } from '../deps';
import { recordEnding, needsFinalSync, clearLastEnding } from './last-ending';
import { newHandoff } from './new-handoff';
import { enqueueHistory } from './opening';

type Deps = Pick<FlowDeps, 'clock' | 'limits'>;
type Patch = Partial<Omit<HandoffRecord, 'id' | 'organizationId' | 'sessionId' | 'state'>>;

/** Control follows the live handoff; every change raises the epoch and is an event. */
export async function updateControl(
  tx: LockedSession & EventLog,
  deps: Deps,
  live: HandoffRecord | null,
  cause: string,
): Promise<void> {
  const control = controlFor(live?.state);
  if (control === tx.session.control) return;
  const epoch = tx.session.epoch + 1;
  await tx.updateSession({ control, epoch });
  await tx.appendEvent(
    { type: 'CONTROL_CHANGED', control, epoch, cause },
    live?.id ?? null,
    instantOf(deps.clock.now()),
  );
}

/** One public line from us to the end-user. Not shown at the provider: agents know what their own queue says. */
export async function sendLineToEndUser(
  tx: MessageRows & EventLog & DeliveryQueue,
  deps: Deps,
  text: string | null,
  handoff: HandoffRecord,
): Promise<void> {
  if (text === null || text === '') return;
  const at = instantOf(deps.clock.now());
  const message = await tx.insertMessage({
    id: deps.clock.newId(),
    author: 'SYSTEM',
    visibility: 'PUBLIC',
    text,
    attachments: [],
    authorName: null,
    agentId: null,
    handoffId: handoff.id,
    callerMessageId: null,
    providerMessageId: null,
    createdAt: at,
  });
  await tx.appendEvent(
    { type: 'MESSAGE_RECORDED', messageId: message.id, author: message.author, visibility: message.visibility },
    handoff.id,
    at,
  );
  await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: message.id });
}

/**
 * The only place where a handoff moves: state, times, event, control and what the runtime is told, all in the caller's
 * transaction. A repeat that changes nothing writes nothing.
 * @throws HandoffTransitionRefusedError
 */
export async function transitionHandoff(
  tx: SessionTransaction,
  deps: Deps,
  handoff: HandoffRecord,
  cause: HandoffCause,
  patch: Patch = {},
): Promise<HandoffRecord> {
  const state = nextState(handoff.state, cause);
  const changesAgent = patch.agent !== undefined && patch.agent?.externalId !== handoff.agent?.externalId;
  const moved = state !== handoff.state;
  if (!moved && !changesAgent) return Object.keys(patch).length === 0 ? handoff : tx.updateHandoff(handoff.id, patch);

  const at = instantOf(deps.clock.now());
  const next = await tx.updateHandoff(handoff.id, {
    state,
    ...(moved && state === 'QUEUED' ? { queuedAt: at, agent: null } : {}),
    ...(moved && state === 'ASSIGNED' ? { assignedAt: handoff.assignedAt ?? at } : {}),
    ...(moved && state === 'ACTIVE' ? { activeAt: handoff.activeAt ?? at, assignedAt: handoff.assignedAt ?? at } : {}),
    ...(moved && state === 'ENDING'
      ? { endingAt: at, drainBy: instantOf(deps.clock.now() + deps.limits.drainMs) }
      : {}),
    ...(moved && !isLive(state) ? { endedAt: at } : {}),
    ...patch,
  });
  await tx.appendEvent(
    {
      type: 'HANDOFF_CHANGED',
      from: handoff.state,
      to: next.state,
      cause,
      endReason: next.endReason,
      agentName: next.agent?.name ?? null,
    },
    next.id,
    at,
  );
  if (!isLive(next.state)) {
    // The closing line comes before the outcome, and the outcome before control returns: in this order the runtime
    // reads them.
    await sendLineToEndUser(tx, deps, closingLine(tx, next), next);
    await tx.enqueueForRuntime({ kind: 'HANDOFF_OUTCOME', handoffId: next.id });
    await tx.updateSession({ liveHandoffId: null });
    await updateControl(tx, deps, null, cause);
  } else {
    // An ending that is over at once hands control back without a detour; endLiveHandoff sees to the others.
    if (next.state === 'ENDING') return next;
    await tx.enqueueForRuntime({ kind: 'HANDOFF_STATE', handoffId: next.id, state: next.state });
    await updateControl(tx, deps, next, cause);
  }
  return next;
}

function closingLine(tx: LockedSession, handoff: HandoffRecord): string | null {
  const { lines } = tx.inbox.policy;
  if (tx.session.closedAt !== null) return null;
  if (handoff.state === 'REJECTED') return lines.rejected;
  if (handoff.state === 'FAILED') return lines.failed;
  return lines.ended;
}

/**
 * Puts an end cause to a live handoff. It ends at once when nothing that an agent said can still be on its way.
 * Otherwise
 * it is ENDING: a sync shows what agents said before the end, and the runtime collects it. Ending what is over already
 * is a no-op.
 */
export async function endLiveHandoff(
  tx: SessionTransaction,
  deps: Deps,
  handoff: HandoffRecord,
  endReason: HandoffEndReason,
): Promise<HandoffRecord> {
  if (!isOpen(handoff.state)) return handoff;
  const withSync = needsFinalSync(tx, handoff, endReason);
  const syncBy = withSync ? instantOf(deps.clock.now() + deps.limits.endSyncMs) : null;
  const ending = await transitionHandoff(tx, deps, handoff, 'END', { endReason, syncBy });
  if (withSync) await recordEnding(tx, deps, ending);
  const ended = await endIfDrained(tx, deps, ending);
  if (ended.state === 'ENDING') await updateControlWhileDraining(tx, deps, ended);
  return ended;
}

/** While a handoff ends, control stays as it was, until an agent's words are on their way: then they come first. */
export async function updateControlWhileDraining(
  tx: LockedSession & EventLog & DeliveryQueue,
  deps: Deps,
  ending: HandoffRecord,
): Promise<void> {
  if (tx.session.control !== 'HUMAN' && (await tx.countUnacknowledged(ending.id)) > 0)
    await updateControl(tx, deps, ending, 'END');
}

/**
 * ENDING → ENDED once a sync has shown what agents said before the end, and the runtime has collected it. Each of the
 * two
 * has its time limit. A closed Session does not wait for the runtime.
 */
export async function endIfDrained(tx: SessionTransaction, deps: Deps, handoff: HandoffRecord): Promise<HandoffRecord> {
  if (handoff.state !== 'ENDING') return handoff;
  const hasPassed = (limit: string | null) => limit !== null && Date.parse(limit) <= deps.clock.now();
  const isSynced = handoff.syncBy === null || hasPassed(handoff.syncBy);
  const over =
    isSynced &&
    (hasPassed(handoff.drainBy) || tx.session.closedAt !== null || (await tx.countUnacknowledged(handoff.id)) === 0);
  return over ? transitionHandoff(tx, deps, handoff, 'DRAINED') : handoff;
}

/**
 * A handoff that a person began by speaking to, or taking, a conversation that the bot held. QUEUED: opened for the
 * queue, by nobody of whom we know.
 */
export async function beginTakeover(
  tx: SessionTransaction,
  deps: Deps,
  state: 'ACTIVE' | 'ASSIGNED' | 'QUEUED',
  agent: HandoffAgent | null,
): Promise<HandoffRecord> {
  const at = instantOf(deps.clock.now());
  const handoff = await tx.insertHandoff(
    newHandoff({
      id: deps.clock.newId(),
      state,
      origin: 'AGENT_TAKEOVER',
      agent,
      historyThroughSeq: tx.session.lastMessageSeq,
      requestedAt: at,
      queuedAt: state === 'QUEUED' ? at : null,
      assignedAt: state === 'QUEUED' ? null : at,
      activeAt: state === 'ACTIVE' ? at : null,
    }),
  );
  // What we were to give back is theirs again.
  await clearLastEnding(tx);
  // Odd from here on: the conversation still looks bot-held, and that must not be read as "returned to the bot".
  const { statusWrites } = tx.session;
  await tx.updateSession({
    liveHandoffId: handoff.id,
    statusWrites: statusWrites % 2 === 0 ? statusWrites + 1 : statusWrites,
  });
  await tx.appendEvent(
    {
      type: 'HANDOFF_CHANGED',
      from: null,
      to: state,
      cause: 'AGENT_TAKEOVER',
      endReason: null,
      agentName: agent?.name ?? null,
    },
    handoff.id,
    at,
  );
  await tx.enqueueForRuntime({ kind: 'HANDOFF_STATE', handoffId: handoff.id, state });
  await enqueueHistory(tx, handoff);
  await tx.enqueueForProvider({ kind: 'OPEN_TAKEOVER', handoffId: handoff.id });
  await updateControl(tx, deps, handoff, 'AGENT_TAKEOVER');
  return handoff;
}

export { canMove };
