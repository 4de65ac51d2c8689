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

/** Sets control from the live handoff. A change raises the epoch and appends an event. */
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

/** Sends a line of this service to the end-user. Agents do not see it. */
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
 * Changes a handoff's state; nothing else does. Writes state, times, event, control and the runtime's notice in the
 * caller's transaction. A repeat that changes nothing writes nothing.
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
    // The runtime reads the closing line, then the outcome, then the change of control.
    await sendLineToEndUser(tx, deps, closingLine(tx, next), next);
    await tx.enqueueForRuntime({ kind: 'HANDOFF_OUTCOME', handoffId: next.id });
    await tx.updateSession({ liveHandoffId: null });
    await updateControl(tx, deps, null, cause);
  } else {
    // An ENDING that ends at once does not change control in between. endLiveHandoff handles the others.
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
 * Ends a live handoff. It ends at once if no agent's message can still be undelivered. Otherwise it is ENDING until a
 * sync has found the agents' messages from before the end and the runtime has collected them. Repeatable.
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

/** Gives agents control while a handoff is ENDING and their messages are undelivered. Otherwise control stays. */
export async function updateControlWhileDraining(
  tx: LockedSession & EventLog & DeliveryQueue,
  deps: Deps,
  ending: HandoffRecord,
): Promise<void> {
  if (tx.session.control !== 'HUMAN' && (await tx.countUnacknowledged(ending.id)) > 0)
    await updateControl(tx, deps, ending, 'END');
}

/**
 * Moves ENDING to ENDED once a sync has found the agents' messages from before the end and the runtime has collected
 * them. Each of the two has a time limit. A closed session does not wait for the runtime.
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
 * Starts the handoff of an agent who replied in, or took, a conversation that the bot held. QUEUED: the conversation was
 * opened without an agent.
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
  // Agents have the conversation again, so it is not returned.
  await clearLastEnding(tx);
  // Makes statusWrites odd: the conversation still looks bot-held, and a sync must not take it for returned.
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
