import { ProviderRefusedError } from '../errors';
import type { ProviderDelivery } from '../delivery';
import { isOpen, type HandoffRecord } from '../handoff';
import type { MessageRecord } from '../message';
import { instantOf } from '../ports/clock';
import type { ConversationAccess } from '../ports/support-provider';
import { HISTORY_MESSAGES, transcriptId, transcriptOf } from './transcript';
import { endLiveHandoff, moveHandoff, sayToEndUser } from './change-handoff';
import { deliverMark } from './deliver-mark';
import { beginStatusWrite, CLEAN_VIEW, connect, conversationOf, ensureConversation, evenAfter, isClean, type Connected } from './conversation';
import type { FlowDeps } from './deps';

/** How a worker lends its lease: called before every remote call. Throws when the lease is lost. */
export interface Lease { held(): Promise<void> }

/**
 * Does one delivery to the provider. Called at least once per delivery, in order within a Session, by whoever holds the
 * lane. Each remote step is committed before the next begins, so that a repeat continues.
 * @throws the provider's errors; the worker decides by class whether to retry or park
 */
export async function deliver(deps: FlowDeps, delivery: ProviderDelivery, lease: Lease): Promise<void> {
  const { work } = delivery;
  switch (work.kind) {
    case 'POST_MESSAGE': return postOne(deps, delivery, work.messageId, lease);
    case 'OPEN_HANDOFF': return openHandoff(deps, delivery, work.handoffId, lease);
    case 'OPEN_TAKEN_OVER': return openTakenOver(deps, delivery, work.handoffId, lease);
    case 'POST_NOTE': case 'REPORT_DELIVERY': case 'ANSWER_SURVEY': return deliverMark(deps, delivery, work, lease);
    case 'RETURN_CONVERSATION': return returnConversation(deps, delivery, work.how, lease);
  }
}

const signalOf = (deps: FlowDeps) => () => AbortSignal.timeout(deps.limits.callMs);

async function post(deps: FlowDeps, connected: Connected, conversation: ConversationAccess, message: MessageRecord, mayExist: boolean): Promise<void> {
  const { session, provider } = connected;
  const answered = message.replyToMessageId === null ? null : await deps.stores.messages.get(session.organizationId, message.replyToMessageId);
  const providerMessageId = await provider.postMessage({
    conversation, message: { ...message, replyTo: answered?.providerMessageId ?? null }, mayExist, lookAfter: session.readAfter,
  }, signalOf(deps)());
  await deps.stores.sessions.transact(session.organizationId, session.id, tx => tx.setProviderMessageId(message.id, providerMessageId));
}

async function postOne(deps: FlowDeps, delivery: ProviderDelivery, messageId: string, lease: Lease): Promise<void> {
  const message = await deps.stores.messages.get(delivery.organizationId, messageId);
  if (message === null || message.providerMessageId !== null) return;
  const connected = await connect(deps, delivery.organizationId, delivery.sessionId);
  await lease.held();
  const conversation = await ensureConversation(deps, connected, delivery.earlierAttempts === 0, signalOf(deps));
  await lease.held();
  await post(deps, connected, conversation, message, delivery.earlierAttempts > 0);
}

/** What agents should know first, as one readable note; null when the runtime said nothing. */
export function contextNote(handoff: HandoffRecord): string | null {
  const lines = [
    handoff.reason && `Reason: ${handoff.reason}`,
    handoff.intent && `Intent: ${handoff.intent}`,
    handoff.summary && `Summary: ${handoff.summary}`,
    ...Object.entries(handoff.fields).map(([name, value]) => `${name}: ${value}`),
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
  const done = (handoff: HandoffRecord, step: string) =>
    sessions.transact(organizationId, sessionId, tx => tx.updateHandoff(handoff.id, { stepsDone: [...handoff.stepsDone, step] }));

  let handoff = await current();
  if (handoff === null) return;
  const connected = await connect(deps, organizationId, sessionId);
  const { provider, account } = connected;
  const conversation = await ensureConversation(deps, connected, earlierAttempts === 0, signal);
  await beginStatusWrite(deps, connected.session);

  if (!handoff.stepsDone.includes('held')) {
    const session = await sessions.get(organizationId, sessionId);
    if (!isClean(session?.lastView ?? null)) await provider.holdForBot(conversation, signal());
    await done(handoff, 'held');
  }

  handoff = await current();
  if (handoff === null) return;
  if (!handoff.stepsDone.includes('history')) {
    const through = handoff.historyThroughSeq;
    const { answer: history } = await sessions.transact(organizationId, sessionId, tx => tx.unpostedMessages(through));
    let mayExist = earlierAttempts > 0;
    // Our own lines to the end-user are not part of the talk that agents continue.
    const said = history.filter(message => message.author !== 'SYSTEM');
    // Decided once, before anything is posted: a repeat must not move a message from one way to the other.
    let split = handoff.stepsDone.find(step => step.startsWith('split:'));
    if (split === undefined) {
      const room = Math.min(HISTORY_MESSAGES, Math.max(1, provider.postingRoom?.(conversation) ?? HISTORY_MESSAGES));
      split = `split:${provider.postTranscript === undefined ? 0 : said.at(-room - 1)?.seq ?? 0}`;
      handoff = (await done(handoff, split)).answer;
    }
    const early = said.filter(message => message.seq <= Number(split!.slice('split:'.length)));
    if (early.length > 0) {
      await lease.held();
      const noteId = transcriptId(handoff.id);
      const { text: title, content } = transcriptOf(early, said.length - early.length);
      const transcript = await provider.postTranscript!({ conversation, noteId, title, fileName: 'transcript.txt', content, mayExist, lookAfter: connected.session.readAfter }, signal());
      await sessions.transact(organizationId, sessionId, async tx => {
        for (const message of early) await tx.setProviderMessageId(message.id, `${transcript}#${message.seq}`);
      });
      mayExist = false;
    }
    for (const message of said.slice(early.length)) {
      await lease.held();
      await post(deps, connected, conversation, message, mayExist);
      // Posts are recorded one by one: only the first unrecorded one can be there already.
      mayExist = false;
    }
    await done(handoff, 'history');
  }

  handoff = await current();
  if (handoff === null) return;
  const note = contextNote(handoff);
  if (note !== null && account.capabilities.privateNotes && !handoff.stepsDone.includes('note')) {
    await provider.postNote({ conversation, noteId: `handoff:${handoff.id}`, text: note, mayExist: earlierAttempts > 0, lookAfter: connected.session.readAfter }, signal());
    await done(handoff, 'note');
  }

  handoff = await current();
  if (handoff === null) return;
  const { target } = handoff;
  const [team] = target.teamId === null ? [null] : await setup.teamsByIds(organizationId, [target.teamId]);
  const [agent] = target.agentId === null ? [null] : await setup.agentsByIds(organizationId, [target.agentId]);
  if ((target.teamId !== null && !team) || (target.agentId !== null && !agent)) throw new ProviderRefusedError('The handoff\'s target is no longer in the account.');
  await provider.openForAgents({ conversation, teamId: team?.externalId ?? null, agentId: agent?.externalId ?? null, priority: handoff.priority }, signal());

  await sessions.transact(organizationId, sessionId, async tx => {
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites), lastView: { status: 'OPEN', agent: null, teamId: team?.externalId ?? null } });
    const live = tx.liveHandoff;
    // Ended in the meantime: the delivery behind this one returns the conversation.
    if (live === null || live.id !== handoffId || !isOpen(live.state)) return;
    const accepted = await moveHandoff(tx, deps, live, 'PROVIDER_ACCEPTED');
    // Only now is the promise true, and only if nobody has spoken yet.
    if (accepted.state === 'QUEUED') await sayToEndUser(tx, deps, tx.inbox.policy.lines.queued, accepted);
    await tx.wantReading(instantOf(deps.clock.now()));
  });
}

/** An agent spoke to, or took, a bot-held conversation: open it in their name, unless they have resolved it already. */
async function openTakenOver(deps: FlowDeps, delivery: ProviderDelivery, handoffId: string, lease: Lease): Promise<void> {
  const { organizationId, sessionId } = delivery;
  const connected = await connect(deps, organizationId, sessionId);
  const conversation = conversationOf(deps, connected);
  const handoff = await deps.stores.handoffs.get(organizationId, handoffId);
  if (conversation !== null && handoff !== null && isOpen(handoff.state)) {
    await lease.held();
    const view = await connected.provider.readConversation(conversation, signalOf(deps)());
    if (view.status === 'BOT_HELD') {
      await lease.held();
      await connected.provider.openForAgents({
        conversation, teamId: null, agentId: view.agent === null ? handoff.agent?.externalId ?? null : null, priority: null,
      }, signalOf(deps)());
    }
  }
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites) });
    await tx.wantReading(instantOf(deps.clock.now()));
  });
}

async function returnConversation(deps: FlowDeps, delivery: ProviderDelivery, how: 'RESOLVE' | 'HOLD', lease: Lease): Promise<void> {
  const { organizationId, sessionId } = delivery;
  const connected = await connect(deps, organizationId, sessionId);
  const conversation = conversationOf(deps, connected);
  if (conversation !== null) {
    await beginStatusWrite(deps, connected.session);
    await lease.held();
    if (how === 'RESOLVE') await connected.provider.resolve(conversation, signalOf(deps)());
    else await connected.provider.holdForBot(conversation, signalOf(deps)());
  }
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    const lastView = how === 'HOLD' ? CLEAN_VIEW : { status: 'RESOLVED' as const, agent: tx.session.lastView?.agent ?? null, teamId: tx.session.lastView?.teamId ?? null };
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites), ...(conversation === null ? {} : { lastView }) });
  });
}

/**
 * The provider has refused for good and the delivery is set aside. A handoff that was still opening fails by name, and
 * the bot has control again.
 */
export async function deliveryRefused(deps: FlowDeps, delivery: ProviderDelivery, code: string): Promise<void> {
  await deps.stores.sessions.transact(delivery.organizationId, delivery.sessionId, async tx => {
    const { work } = delivery;
    const live = tx.liveHandoff;
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites) });
    await tx.appendEvent({ type: 'DELIVERY_PARKED', kind: work.kind, code }, live?.id ?? null, instantOf(deps.clock.now()));
    if (work.kind === 'OPEN_HANDOFF' && live !== null && live.id === work.handoffId && live.state === 'REQUESTED')
      await moveHandoff(tx, deps, live, 'PROVIDER_REFUSED', { failureCode: code });
  });
}

/**
 * The conversation was deleted at the provider. The link is dropped, so that the next try makes a new one; a handoff
 * that people already had is lost with it, one that was still opening opens in the new conversation.
 */
export async function conversationLost(deps: FlowDeps, organizationId: string, sessionId: string, conversationId: string | null): Promise<void> {
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    if (conversationId !== null && tx.session.conversationId !== conversationId) return;
    await tx.updateSession({ contactId: null, conversationId: null, lastView: null, readAfter: null, statusWrites: evenAfter(tx.session.statusWrites) });
    const live = tx.liveHandoff;
    if (live === null || !isOpen(live.state)) return;
    if (live.state === 'REQUESTED') await tx.updateHandoff(live.id, { stepsDone: [] });
    else await endLiveHandoff(tx, deps, live, 'PROVIDER_LOST');
  });
}
