import { OutcomeUnknownError, ProviderRefusedError, UnsupportedByProviderError } from '../errors';
import type { ProviderDelivery } from '../delivery';
import { isOpen, type HandoffRecord } from '../handoff';
import type { HandoffId } from '../ids';
import { instantOf } from '../ports/clock';
import type { ConversationAccess, ConversationView } from '../ports/support-provider';
import { moveHandoff, sayToEndUser, stepDone } from './change-handoff';
import { beginStatusWrite, connect, conversationOf, ensureConversation, evenAfter, isClean, noteIdOf, notePost, type Connected } from './conversation';
import { hasLostConversation } from './conversation-lost';
import { accessOf, type FlowDeps } from './deps';
import { droppedNote } from './dropped';
import type { Lease } from './lease';
import { openWithWhatIsTaken } from './open-for-agents';
import { timerSyncMs } from './scan-account';
import { lastViewOf } from './while-off';
import { bringHistory, bringTranscript, deletedMeanwhile } from './show-history';
import { orSetAside, setAsidePart, writeOnce } from './write-once';

/** What agents should know first, as one readable note; null when the runtime said nothing. */
export function contextNote(handoff: HandoffRecord): string | null {
  const lines = [
    handoff.reason && `Reason: ${handoff.reason}`,
    handoff.intent && `Intent: ${handoff.intent}`,
    handoff.summary && `Summary: ${handoff.summary}`,
    ...Object.entries(handoff.fields).map(([name, value]) => `${name}: ${value}`),
    ...handoff.links.map(({ label, url }) => `${label}: ${url}`),
  ].filter((line): line is string => typeof line === 'string');
  return lines.length === 0 ? null : ['Handed over by the bot.', ...lines].join('\n');
}

/**
 * Brings a requested handoff to the agents: hold, history, context note, target, open. Continues behind the steps that
 * `stepsDone` names; gives up quietly when the handoff has ended meanwhile (what follows in the lane returns it).
 */
export async function openHandoff(deps: FlowDeps, delivery: ProviderDelivery, handoffId: string, lease: Lease): Promise<void> {
  const { organizationId, sessionId, earlierAttempts } = delivery;
  const { sessions, handoffs } = deps.stores;
  const signal = () => lease.signal(deps.limits.callMs);
  const current = async () => {
    await lease.held();
    const handoff = await handoffs.get(organizationId, handoffId);
    return handoff !== null && isOpen(handoff.state) ? handoff : null;
  };
  const bringTalk = async (connected: Connected, conversation: ConversationAccess, of: HandoffRecord) => {
    // Without the file all of it comes as messages.
    await orGoOn(() => orSetAside(deps, connected.session, { kind: 'POST_TRANSCRIPT', handoffId: of.id }, of.id, () => bringTranscript(deps, connected, conversation, of, earlierAttempts > 0, lease)));
    await bringHistory(deps, connected, conversation, of.historyThroughSeq, lease, earlierAttempts);
  };
  /** Turns that stood before this in the lane have left themselves to it, when it was to be opened again: they are owed all the same. */
  const bringWhatWasLeft = async (connected: Connected, known?: ConversationAccess) => {
    const ended = await handoffs.get(organizationId, handoffId);
    if (ended === null || !hasLostConversation(ended) || ended.stepsDone.includes('history')) return;
    await bringTalk(connected, known ?? await ensureConversation(deps, connected, earlierAttempts === 0, lease), ended);
    await done('history');
  };
  const done = (...steps: readonly string[]) => sessions.transact(organizationId, sessionId, async tx => {
    for (const step of steps) await stepDone(tx, handoffId, step);
  });

  let handoff = await current();
  // Opened, and only the delivery's own completion was lost: from here on it is the agents'.
  if (handoff?.stepsDone.includes('opened')) return;
  const connected = await connect(deps, organizationId, sessionId);
  if (handoff === null) {
    // An earlier try may have made a conversation and not lived to say so; people may speak there.
    const mayBeThere = earlierAttempts > 0 && connected.session.contactId !== null && connected.session.conversationId === null;
    return bringWhatWasLeft(connected, mayBeThere ? await ensureConversation(deps, connected, false, lease) : undefined);
  }
  const { provider, account } = connected;
  const mayBeOpened = handoff.stepsDone.includes('opening');
  const note = account.capabilities.privateNotes ? contextNote(handoff) : null;
  const conversation = await ensureConversation(deps, connected, earlierAttempts === 0, lease);
  await beginStatusWrite(deps, connected.session);

  if (!handoff.stepsDone.includes('held')) {
    await lease.held();
    const session = await sessions.get(organizationId, sessionId);
    if (!isClean(session && lastViewOf(connected.inbox, session))) await orGoOn(() => provider.holdForBot(conversation, signal()));
    await done('held');
  }

  handoff = await current();
  if (handoff === null) return bringWhatWasLeft(connected, conversation);
  if (!handoff.stepsDone.includes('history')) {
    await bringTalk(connected, conversation, handoff);
    await (note === null ? done('history', 'opening') : done('history'));
  }

  handoff = await current();
  if (handoff === null) return;
  if (note !== null && !handoff.stepsDone.includes('note')) {
    await postContextNote(deps, connected, conversation, { handoffId, text: note, mayExist: earlierAttempts > 0 }, lease);
  }

  handoff = await current();
  if (handoff === null) return;
  // The note of an earlier try was found by a reading.
  if (!handoff.stepsDone.includes('opening')) await done('opening');
  // Whoever ended it before that step did not wait for agents, who must not see it then.
  handoff = await current();
  if (handoff === null) return;
  // A try that was cut off here may have opened it. When people had it since, and are done with it, it must not come back to them.
  const isDoneWith = handoff.stepsDone.includes('opened')
    || (mayBeOpened && handoff.state !== 'REQUESTED' && (await provider.readConversation(conversation, signal())).status === 'RESOLVED');
  const opened = await openWithWhatIsTaken(deps, connected, conversation, handoff, lease, isDoneWith);

  await sessions.transact(organizationId, sessionId, async tx => {
    if (tx.session.conversationId !== conversation.conversationId) throw deletedMeanwhile();
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites) });
    // A replica that outlived its lease, or has the lane after us, was quicker: the end-user has been told, and what people did since stands.
    if ((await tx.handoff(handoffId))?.stepsDone.includes('opened')) return;
    const now = deps.clock.now();
    await tx.updateSession({ lastView: opened.view, stateReadAt: instantOf(now) });
    const live = tx.liveHandoff;
    // Ended in the meantime: the delivery behind this one returns the conversation.
    if (live === null || live.id !== handoffId || !isOpen(live.state)) return;
    await stepDone(tx, handoffId, 'opened');
    if (opened.dropped.length > 0 && account.capabilities.privateNotes) await tx.oweProvider(droppedNote(`target:${handoffId}`, TARGET_DROPPED, opened.dropped));
    const accepted = await moveHandoff(tx, deps, live, 'PROVIDER_ACCEPTED');
    // Only now is the promise true, and only if nobody has spoken yet. Once is enough for a handoff that is opened again.
    if (accepted.state === 'QUEUED' && live.queuedAt === null) await sayToEndUser(tx, deps, tx.inbox.policy.lines.queued, accepted);
    // What is as we wrote it need not be read at once: whatever people do to it is told to us. Not so by an account that cannot
    // reach us, nor of an agent whom we assigned ourselves, nor of what happened between an earlier try and this one.
    const isToldOf = accessOf(deps, account).webhookUrl !== '' && !opened.hasAgent && earlierAttempts === 0;
    const timerMs = timerSyncMs({ canBeScanned: provider.changedConversations !== undefined, livePollMs: deps.limits.livePollMs, random: deps.clock.random() });
    await tx.wantReading(instantOf(isToldOf ? now + timerMs : now), isToldOf ? 'TIMER' : 'ALL');
  });
}

/** Whether the provider never takes it, and the conversation is there all the same. */
const isRefused = (error: unknown): error is ProviderRefusedError | UnsupportedByProviderError =>
  error instanceof UnsupportedByProviderError || (error instanceof ProviderRefusedError && !error.gone);

/** Runs a step that a handoff can do without: refused, it is left out. */
async function orGoOn(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
}

const TARGET_DROPPED = 'Not all that was asked for could be set here; the conversation is open to everybody who sees this inbox:';

interface ContextNote { readonly handoffId: HandoffId; readonly text: string; readonly mayExist: boolean }

/** People come without it, too, when it is refused, or nobody can tell whether it is there: then it is a dead letter of its own, and the handoff goes on. */
async function postContextNote(deps: FlowDeps, { provider, session }: Connected, conversation: ConversationAccess, { handoffId, text, mayExist: mayBeThere }: ContextNote, lease: Lease): Promise<void> {
  const [noteId, lookAfter] = [noteIdOf(handoffId), session.readAfter];
  let failure: OutcomeUnknownError | ProviderRefusedError | UnsupportedByProviderError | null = null;
  try {
    await writeOnce(deps, session, lease, mayBeThere, mayExist => provider.postNote({ conversation, noteId, text, mayExist, lookAfter }, lease.signal(deps.limits.callMs)));
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError || isRefused(error))) throw error;
    failure = error;
  }
  await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    await stepDone(tx, handoffId, 'note');
    await stepDone(tx, handoffId, 'opening');
    if (failure === null) await notePost(tx, deps);
    else await setAsidePart(tx, deps, { kind: 'POST_NOTE', noteId, text, ...(lookAfter !== null && { about: lookAfter }) }, { code: failure.code, outcome: failure instanceof OutcomeUnknownError ? 'UNKNOWN' : 'NOT_DELIVERED', handoffId });
  });
}

/** An agent spoke to, or took, a bot-held conversation: open it in their name, unless they have resolved it already. */
export async function openTakenOver(deps: FlowDeps, delivery: ProviderDelivery, handoffId: string, lease: Lease): Promise<void> {
  const { organizationId, sessionId } = delivery;
  const connected = await connect(deps, organizationId, sessionId);
  const conversation = conversationOf(deps, connected);
  const handoff = await deps.stores.handoffs.get(organizationId, handoffId);
  // Only the delivery's own completion was lost: what they have done with it since stands.
  if (handoff?.stepsDone.includes('opened')) return;
  let lastView: ConversationView | null = connected.session.lastView;
  if (conversation !== null && handoff !== null && isOpen(handoff.state)) {
    // A return that stood before us in the lane may have made it even.
    await beginStatusWrite(deps, connected.session);
    if (!handoff.stepsDone.includes('history')) {
      await bringHistory(deps, connected, conversation, handoff.historyThroughSeq, lease);
      await deps.stores.sessions.transact(organizationId, sessionId, tx => stepDone(tx, handoffId, 'history'));
    }
    await lease.held();
    const view = await connected.provider.readConversation(conversation, lease.signal(deps.limits.callMs));
    // Whom we find or put on it is not one who takes it once more.
    lastView = view;
    // One that was opened for the queue, and is not open any more, was given back.
    if (view.status === 'BOT_HELD' && (view.agent ?? handoff.agent) !== null) {
      const agent = view.agent ?? (handoff.agent && { externalId: handoff.agent.externalId, name: handoff.agent.name });
      await lease.held();
      const open = (agentId: string | null) => connected.provider.openForAgents({ conversation, teamId: null, agentId, priority: null }, lease.signal(deps.limits.callMs));
      const toAssign = view.agent === null ? agent?.externalId ?? null : null;
      let isAssigned = true;
      // An agent who cannot be assigned has spoken all the same: the conversation is opened for everybody.
      await open(toAssign).catch((error: unknown) => {
        if (toAssign === null || !isRefused(error)) throw error;
        isAssigned = false;
        return open(null);
      });
      lastView = { status: 'OPEN', agent: isAssigned ? agent : null, teamId: view.teamId };
    }
  }
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites) });
    // Lost meanwhile, it is opened again from its beginning, if at all.
    if (conversation !== null && tx.session.conversationId !== conversation.conversationId) return;
    if (conversation === null && tx.liveHandoff?.id === handoffId && tx.liveHandoff.state === 'REQUESTED') return;
    await tx.updateSession({ lastView });
    await stepDone(tx, handoffId, 'opened');
    await tx.wantReading(instantOf(deps.clock.now()));
  });
}
