import { ProviderRefusedError, UnsupportedByProviderError } from '../errors';
import type { ProviderDelivery } from '../delivery';
import { isOpen, type HandoffRecord } from '../handoff';
import { NOTHING_SHOWN, type MessageRecord } from '../message';
import { instantOf } from '../ports/clock';
import type { ConversationAccess, ConversationView } from '../ports/support-provider';
import { endLiveHandoff, moveHandoff, sayToEndUser, stepDone } from './change-handoff';
import {
  beginStatusWrite, CLEAN_VIEW, connect, conversationOf, ensureConversation, evenAfter, isClean, noteIdOf, notePost, type Connected,
} from './conversation';
import { deliverChange, showReactions } from './deliver-change';
import { isOpenedAgain } from './conversation-lost';
import { deliverMark } from './deliver-mark';
import { TAKEN_BACK } from './change-lines';
import { HISTORY_MESSAGES, placeInTranscript, transcriptId, transcriptOf } from './transcript';
import type { FlowDeps } from './deps';
import { provingClaim } from './proving-claim';

/** How a worker lends its lease: called before every remote call. Throws when the lease is lost. */
export interface Lease { held(): Promise<void> }

/**
 * Does one delivery to the provider. Called at least once per delivery, in order within a Session, by whoever holds the
 * lane. Each remote step is committed before the next begins, so that a repeat continues.
 * @throws the provider's errors; the worker decides by class whether to retry or park. LeaseLostError when the claim is no longer the worker's
 */
export async function deliver(given: FlowDeps, delivery: ProviderDelivery, lease: Lease): Promise<void> {
  const { work } = delivery;
  const deps = provingClaim(given, delivery);
  switch (work.kind) {
    case 'POST_MESSAGE': return postOne(deps, delivery, work.messageId, lease);
    case 'OPEN_HANDOFF': return openHandoff(deps, delivery, work.handoffId, lease);
    case 'OPEN_TAKEN_OVER': return openTakenOver(deps, delivery, work.handoffId, lease);
    case 'SHOW_EDIT': case 'SHOW_REACTION': case 'TAKE_BACK': return deliverChange(deps, delivery, work, lease);
    case 'POST_NOTE': case 'REPORT_DELIVERY': case 'MARK_READ': case 'ANSWER_SURVEY': return deliverMark(deps, delivery, work, lease);
    case 'RETURN_CONVERSATION': return returnConversation(deps, delivery, work, lease);
  }
}

const signalOf = (deps: FlowDeps) => () => AbortSignal.timeout(deps.limits.callMs);

async function post(deps: FlowDeps, connected: Connected, conversation: ConversationAccess, message: MessageRecord, mayExist: boolean): Promise<void> {
  const { session, provider } = connected;
  const answered = message.replyToMessageId === null ? null : await deps.stores.messages.get(session.organizationId, message.replyToMessageId);
  const takenBack = message.deletedAt !== null;
  const said = takenBack ? { ...message, text: TAKEN_BACK, content: null, attachments: [] } : message;
  const providerMessageId = await provider.postMessage({
    conversation, message: { ...said, replyTo: answered?.providerMessageId ?? null }, mayExist, lookAfter: session.readAfter,
  }, signalOf(deps)());
  await deps.stores.sessions.transact(session.organizationId, session.id, async tx => {
    if (tx.session.conversationId !== conversation.conversationId) throw deletedMeanwhile();
    await tx.setProviderMessageId(message.id, providerMessageId);
    await notePost(tx, deps);
    // An earlier try may have shown it as it was then: what has changed since is told behind it.
    if (!mayExist && (takenBack || message.version > 1)) await tx.updateMessage(message.id, { shown: { ...NOTHING_SHOWN, version: message.version, takenBack } });
  });
}

/** A reading has found it deleted since: what was written there counts for nothing. */
const deletedMeanwhile = () => new ProviderRefusedError('The conversation was deleted while it was written to.', { gone: true });

async function postOne(deps: FlowDeps, delivery: ProviderDelivery, messageId: string, lease: Lease): Promise<void> {
  // The session before the message: a reading that records the message in between has then not moved the `readAfter` we look from.
  const connected = await connect(deps, delivery.organizationId, delivery.sessionId);
  const message = await deps.stores.messages.get(delivery.organizationId, messageId);
  if (message === null || message.providerMessageId !== null) return;
  if (await isBroughtLater(deps, connected, message)) return;
  const conversation = await ensureConversation(deps, connected, delivery.earlierAttempts === 0, signalOf(deps), lease);
  if (await isAheadOfHistory(deps, connected, message)) await bringHistory(deps, connected, conversation, message.seq - 1, lease);
  await lease.held();
  await post(deps, connected, conversation, message, delivery.earlierAttempts > 0);
}

/** Whether it is part of what a handoff that is opened again brings along: behind this one in the lane, and a long talk as a file. */
async function isBroughtLater(deps: FlowDeps, { session }: Connected, { seq }: MessageRecord): Promise<boolean> {
  if (session.liveHandoffId === null) return false;
  const live = await deps.stores.handoffs.get(session.organizationId, session.liveHandoffId);
  return live !== null && isOpenedAgain(live) && seq <= live.historyThroughSeq;
}

/** Whether what was said before this message was not brought: its handoff ended before that, or the policy has changed. */
async function isAheadOfHistory(deps: FlowDeps, { session }: Connected, { seq, handoffId }: MessageRecord): Promise<boolean> {
  if (session.conversationId === null || session.tellsAgain) return seq > 1;
  const handoff = handoffId === null ? null : await deps.stores.handoffs.get(session.organizationId, handoffId);
  return handoff !== null && !handoff.stepsDone.includes('history');
}

/** Shows what the provider has not seen yet, in order. What it refuses for good does not keep the rest from the agents. */
async function bringHistory(deps: FlowDeps, connected: Connected, conversation: ConversationAccess, throughSeq: number, lease: Lease): Promise<void> {
  const { sessions } = deps.stores;
  const { id, organizationId, conversationId } = connected.session;
  const { answer: history } = await sessions.transact(organizationId, id, tx => tx.unpostedMessages(throughSeq));
  // Posts are recorded one by one: only the first unrecorded one can be there already, and that by an earlier handoff's try too.
  let mayExist = conversationId !== null;
  for (const message of history) {
    // Our own lines to the end-user are not part of the talk that agents continue.
    if (message.author === 'SYSTEM') continue;
    await lease.held();
    try {
      await post(deps, connected, conversation, message, mayExist);
      mayExist = false;
      if (message.reactions.length > 0) await showReactions(deps, connected, conversation, message.id, lease);
    } catch (error) {
      if (!(error instanceof UnsupportedByProviderError || (error instanceof ProviderRefusedError && !error.gone))) throw error;
      const { code } = error;
      await sessions.transact(organizationId, id, async tx => {
        const letter = await tx.setAside({ kind: 'POST_MESSAGE', messageId: message.id }, code);
        if (letter !== null) await tx.appendEvent({ type: 'DELIVERY_PARKED', deliveryId: letter.id, kind: letter.kind, code }, message.handoffId, instantOf(deps.clock.now()));
      });
    }
  }
  if (connected.session.tellsAgain)
    await sessions.transact(organizationId, id, async tx => { if (tx.session.conversationId === conversation.conversationId) await tx.updateSession({ tellsAgain: false }); });
}

/** The beginning of a long talk, as one file before the messages that follow it; then those count as shown. */
async function bringTranscript(deps: FlowDeps, { provider, session }: Connected, conversation: ConversationAccess, handoff: HandoffRecord, mayExist: boolean, lease: Lease): Promise<void> {
  if (provider.postTranscript === undefined) return;
  const { sessions } = deps.stores;
  const { answer: history } = await sessions.transact(session.organizationId, session.id, tx => tx.unpostedMessages(handoff.historyThroughSeq));
  const said = history.filter(message => message.author !== 'SYSTEM');
  // Decided once, before anything is posted: a repeat must not move a message from one way to the other.
  let split = handoff.stepsDone.find(step => step.startsWith('split:'));
  if (split === undefined) {
    const room = Math.min(HISTORY_MESSAGES, Math.max(1, provider.postingRoom?.(conversation) ?? HISTORY_MESSAGES));
    const decided = split = `split:${said.at(-room - 1)?.seq ?? 0}`;
    await sessions.transact(session.organizationId, session.id, tx => stepDone(tx, handoff.id, decided));
  }
  const throughSeq = Number(split.slice('split:'.length));
  const early = said.filter(message => message.seq <= throughSeq);
  if (early.length === 0) return;
  await lease.held();
  // Looked for from the start: its echo leaves no mark here, and a reading may have gone past it since.
  const { text: title, content } = transcriptOf(early, said.length - early.length);
  const transcript = await provider.postTranscript({
    conversation, noteId: transcriptId(handoff.id), title, fileName: 'transcript.txt', content, mayExist, lookAfter: null,
  }, signalOf(deps)());
  await sessions.transact(session.organizationId, session.id, async tx => {
    for (const message of early) await tx.setProviderMessageId(message.id, placeInTranscript(transcript, message));
    await notePost(tx, deps);
  });
}

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
async function openHandoff(deps: FlowDeps, delivery: ProviderDelivery, handoffId: string, lease: Lease): Promise<void> {
  const { organizationId, sessionId, earlierAttempts } = delivery;
  const { sessions, setup, handoffs } = deps.stores;
  const signal = signalOf(deps);
  const current = async () => {
    await lease.held();
    const handoff = await handoffs.get(organizationId, handoffId);
    return handoff !== null && isOpen(handoff.state) ? handoff : null;
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
    if (earlierAttempts > 0 && connected.session.contactId !== null && connected.session.conversationId === null)
      await ensureConversation(deps, connected, false, signal, lease);
    return;
  }
  const { provider, account } = connected;
  const mayBeOpened = handoff.stepsDone.includes('opening');
  const note = account.capabilities.privateNotes ? contextNote(handoff) : null;
  const conversation = await ensureConversation(deps, connected, earlierAttempts === 0, signal, lease);
  await beginStatusWrite(deps, connected.session);

  if (!handoff.stepsDone.includes('held')) {
    await lease.held();
    const session = await sessions.get(organizationId, sessionId);
    if (!isClean(session?.lastView ?? null)) await provider.holdForBot(conversation, signal());
    await done('held');
  }

  handoff = await current();
  if (handoff === null) return;
  if (!handoff.stepsDone.includes('history')) {
    await bringTranscript(deps, connected, conversation, handoff, earlierAttempts > 0, lease);
    await bringHistory(deps, connected, conversation, handoff.historyThroughSeq, lease);
    await (note === null ? done('history', 'opening') : done('history'));
  }

  handoff = await current();
  if (handoff === null) return;
  if (note !== null && !handoff.stepsDone.includes('note')) {
    await provider.postNote({ conversation, noteId: noteIdOf(handoff.id), text: note, mayExist: earlierAttempts > 0, lookAfter: connected.session.readAfter }, signal());
    await sessions.transact(organizationId, sessionId, async tx => {
      await stepDone(tx, handoffId, 'note');
      await stepDone(tx, handoffId, 'opening');
      await notePost(tx, deps);
    });
  }

  handoff = await current();
  if (handoff === null) return;
  const { target } = handoff;
  const [team] = target.teamId === null ? [null] : await setup.teamsByIds(organizationId, [target.teamId]);
  const [agent] = target.agentId === null ? [null] : await setup.agentsByIds(organizationId, [target.agentId]);
  if ((target.teamId !== null && !team) || (target.agentId !== null && !agent)) throw new ProviderRefusedError('The handoff\'s target is no longer in the account.');
  // The note of an earlier try was found by a reading.
  if (!handoff.stepsDone.includes('opening')) await done('opening');
  // A try that was cut off here may have opened it. When people had it since, and are done with it, it must not come back to them.
  const isDoneWith = handoff.stepsDone.includes('opened')
    || (mayBeOpened && handoff.state !== 'REQUESTED' && (await provider.readConversation(conversation, signal())).status === 'RESOLVED');
  if (!isDoneWith)
    await provider.openForAgents({ conversation, teamId: team?.externalId ?? null, agentId: agent?.externalId ?? null, priority: handoff.priority }, signal());

  await sessions.transact(organizationId, sessionId, async tx => {
    if (tx.session.conversationId !== conversation.conversationId) throw deletedMeanwhile();
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites) });
    // A replica that outlived its lease, or has the lane after us, was quicker: the end-user has been told, and what people did since stands.
    if ((await tx.handoff(handoffId))?.stepsDone.includes('opened')) return;
    const now = deps.clock.now();
    await tx.updateSession({ lastView: { status: 'OPEN', agent: null, teamId: team?.externalId ?? null }, stateReadAt: instantOf(now) });
    const live = tx.liveHandoff;
    // Ended in the meantime: the delivery behind this one returns the conversation.
    if (live === null || live.id !== handoffId || !isOpen(live.state)) return;
    await stepDone(tx, handoffId, 'opened');
    const accepted = await moveHandoff(tx, deps, live, 'PROVIDER_ACCEPTED');
    // Only now is the promise true, and only if nobody has spoken yet. Once is enough for a handoff that is opened again.
    if (accepted.state === 'QUEUED' && live.queuedAt === null) await sayToEndUser(tx, deps, tx.inbox.policy.lines.queued, accepted);
    // What is as we wrote it need not be read at once: whatever people do to it is told to us. Not so by nobody who cannot
    // reach us, nor of an agent whom we assigned ourselves, nor of what happened between an earlier try and this one.
    const isToldOf = deps.publicUrl !== '' && agent == null && earlierAttempts === 0;
    await tx.wantReading(instantOf(isToldOf ? now + deps.limits.livePollMs : now), isToldOf ? 'TIMER' : 'ALL');
  });
}

/** An agent spoke to, or took, a bot-held conversation: open it in their name, unless they have resolved it already. */
async function openTakenOver(deps: FlowDeps, delivery: ProviderDelivery, handoffId: string, lease: Lease): Promise<void> {
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
    const view = await connected.provider.readConversation(conversation, signalOf(deps)());
    // Whom we find or put on it is not one who takes it once more.
    lastView = view;
    if (view.status === 'BOT_HELD') {
      const agent = view.agent ?? (handoff.agent && { externalId: handoff.agent.externalId, name: handoff.agent.name });
      await lease.held();
      await connected.provider.openForAgents({ conversation, teamId: null, agentId: view.agent === null ? agent?.externalId ?? null : null, priority: null }, signalOf(deps)());
      lastView = { status: 'OPEN', agent, teamId: view.teamId };
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

type Returning = Extract<ProviderDelivery['work'], { kind: 'RETURN_CONVERSATION' }>;

async function returnConversation(deps: FlowDeps, delivery: ProviderDelivery, { how, handoffId }: Returning, lease: Lease): Promise<void> {
  const { organizationId, sessionId } = delivery;
  const connected = await connect(deps, organizationId, sessionId);
  const { liveHandoffId } = connected.session;
  const live = liveHandoffId === null ? null : await deps.stores.handoffs.get(organizationId, liveHandoffId);
  // Somebody has taken it meanwhile: it is theirs now, and the delivery behind this one opens it for them. Or this one
  // was sent again when a later handoff had been opened already.
  if (live !== null && live.id !== handoffId && isOpen(live.state) && (live.origin === 'AGENT_TAKEOVER' || live.stepsDone.includes('opened'))) return;
  const conversation = conversationOf(deps, connected);
  if (conversation !== null) {
    await beginStatusWrite(deps, connected.session);
    await lease.held();
    if (how === 'RESOLVE') await connected.provider.resolve(conversation, signalOf(deps)());
    else await connected.provider.holdForBot(conversation, signalOf(deps)());
  }
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    // Resolving leaves agent and team on it, whoever they are by now: what the next reading shows is residue, not news.
    const lastView = how === 'HOLD' ? CLEAN_VIEW : null;
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites), ...(conversation === null ? {} : { lastView }) });
    if (conversation !== null) await tx.wantReading(instantOf(deps.clock.now()));
  });
}

/**
 * The provider has refused for good and the delivery is about to be set aside. A handoff that was still opening fails by name, and
 * the bot has control again.
 */
export async function deliveryRefused(deps: FlowDeps, delivery: ProviderDelivery, code: string): Promise<void> {
  await deps.stores.sessions.transact(delivery.organizationId, delivery.sessionId, async tx => {
    const { work } = delivery;
    const live = tx.liveHandoff;
    // Hints of the meantime were left to the reading behind the write.
    if (tx.session.statusWrites % 2 === 1 && tx.session.conversationId !== null) await tx.wantReading(instantOf(deps.clock.now()));
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites) });
    if ((work.kind !== 'OPEN_HANDOFF' && work.kind !== 'OPEN_TAKEN_OVER') || live === null || live.id !== work.handoffId) return;
    if (!isOpen(live.state) || live.stepsDone.includes('opened')) return;
    if (live.state === 'REQUESTED') await moveHandoff(tx, deps, live, 'PROVIDER_REFUSED', { failureCode: code });
    // A person has answered before it was opened: it is opened for them instead, and lost to them when that is refused too.
    else if (work.kind === 'OPEN_HANDOFF') await tx.oweProvider({ kind: 'OPEN_TAKEN_OVER', handoffId: live.id });
    else await endLiveHandoff(tx, deps, live, 'PROVIDER_LOST');
  });
}

export { conversationLost } from './conversation-lost';
