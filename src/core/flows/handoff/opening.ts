import type { PostMessage } from '../../delivery';
import { isOpen, type HandoffRecord } from '../../handoff';
import type { HandoffId } from '../../ids';
import type {
  EnqueuedWork,
  SessionTransaction,
  UnfinishedPost,
  UnpostedMessage,
  LockedSession,
  HandoffRows,
  MessageRows,
  DeliveryQueue,
} from '../../ports/session-transaction';
import { isUntouched } from '../provider-context';
import { contextNote } from '../to-provider/context-note';
import { HISTORY_MESSAGES } from '../to-provider/transcript';
import { isInFile, sortPosts, transcriptsToLookUp, type TranscriptPost } from './unfinished-posts';
import { trustedLastView } from './while-disabled';

/** Returns the id of the note that continues a context note which is too long for one note. */
export const overflowNoteId = (handoffId: HandoffId): string => `context:${handoffId}`;

/**
 * Enqueues the steps of opening a handoff, one delivery per remote write. Called in the transaction that requests the
 * handoff. The lane keeps the order, so agents are notified when they can read everything.
 * @param room how many messages of the history are posted one by one; earlier ones go as one file
 */
export async function enqueueOpening(
  tx: SessionTransaction,
  handoff: HandoffRecord,
  room: number = HISTORY_MESSAGES,
): Promise<void> {
  const { id: handoffId, historyThroughSeq } = handoff;
  const isLeftByOthers = tx.session.conversationId !== null && !isUntouched(trustedLastView(tx.inbox, tx.session));
  // A return that still waits may resolve the conversation, although its last view is clean.
  const returns = isLeftByOthers || (await tx.isReturnWaiting());
  await tx.enqueueAllForProvider([
    ...(returns ? [returnToBot(handoff)] : []),
    ...historyWork(await missingPosts(tx, historyThroughSeq), { handoffId, room, isDroppable: true }),
    ...lastSteps(handoff, null),
  ]);
}

/**
 * Enqueues the steps of opening a handoff again, with the history up to now, and withdraws the earlier steps that still
 * wait. Called when the conversation was lost, and when the provider refuses the history as a file. If the handoff ends
 * in the meantime, the messages are posted all the same.
 * @param by the delivery whose worker calls this, if any; its current attempt has written nothing
 */
export async function enqueueOpeningAgain(
  tx: SessionTransaction,
  handoff: HandoffRecord,
  room: number,
  by?: string,
): Promise<void> {
  const isOver = !isOpen(handoff.state);
  // Posts reopen a conversation that was resolved.
  const returning = isOver ? await tx.withdrawReturns() : [];
  await tx.withdrawOpening({ by, ...(!isOver && { noteId: overflowNoteId(handoff.id) }) });
  const history = historyWork(await missingPosts(tx, tx.session.lastMessageSeq), {
    handoffId: handoff.id,
    room,
    isDroppable: false,
  });
  if (isOver) return tx.enqueueAllForProvider([...history, ...returning]);
  const returns = handoff.state === 'REQUESTED' && (await tx.isReturnWaiting());
  // A note in an earlier conversation was lost with that conversation.
  const note = tx.session.conversationId === null ? null : await tx.attemptedContextNote(handoff.id);
  await tx.enqueueAllForProvider([
    ...(returns ? [returnToBot(handoff)] : []),
    ...history,
    ...lastSteps(handoff, note),
    ...(await overflow(tx, handoff.id)),
  ]);
}

async function overflow(tx: LockedSession & DeliveryQueue, handoffId: HandoffId): Promise<readonly EnqueuedWork[]> {
  const noteId = overflowNoteId(handoffId);
  const note = await tx.note(noteId);
  if (note === null) return [];
  return [
    {
      work: { kind: 'POST_NOTE', noteId, text: note.text },
      ...(note.wasAttempted && tx.session.conversationId !== null && { instead: note.id }),
    },
  ];
}

/** Enqueues each message that agents do not have yet. Called before an agent takes the session over. */
export async function enqueueHistory(
  tx: SessionTransaction,
  { id: handoffId, historyThroughSeq }: HandoffRecord,
): Promise<void> {
  await tx.enqueueAllForProvider(
    historyWork(await missingPosts(tx, historyThroughSeq), { handoffId, room: Infinity, isDroppable: true }),
  );
}

/**
 * Enqueues a message again, after all earlier messages that are not posted. Returns false, and changes nothing, if
 * there
 * are none. Called in the transaction that records the conversation that was created for this message. Earlier messages
 * are unposted if the policy has changed, support was disabled, or no conversation could be created for them.
 * @param by the delivery that created the conversation
 */
export async function enqueueInOrder(
  tx: SessionTransaction,
  { seq }: Pick<UnpostedMessage, 'seq'>,
  by: string,
): Promise<boolean> {
  const posts = await tx.unfinishedPosts();
  // A post that failed for good twice is left to an operator; otherwise a conversation that never lasts would be
  // created again without end.
  const isForOperator = ({ state, isLeftToOperator, isBlockingLane, wasResent }: UnfinishedPost): boolean =>
    isLeftToOperator || isBlockingLane || (state === 'PARKED' && wasResent);
  const left = new Set(
    posts.flatMap(post => (post.work.kind === 'POST_MESSAGE' && isForOperator(post) ? [post.work.messageId] : [])),
  );
  const unposted = await tx.unpostedSeqs(tx.session.lastMessageSeq);
  if (!unposted.some(one => one.seq < seq && !left.has(one.id))) return false;
  const live = tx.liveHandoff;
  if (live !== null && live.state === 'REQUESTED') {
    await enqueueOpeningAgain(
      tx,
      await tx.updateHandoff(live.id, { historyThroughSeq: tx.session.lastMessageSeq }),
      HISTORY_MESSAGES,
      by,
    );
    return true;
  }
  const waiting = new Set(
    posts.flatMap(({ work, state }) => (work.kind === 'POST_MESSAGE' && state === 'WAITING' ? [work.messageId] : [])),
  );
  const throughSeq = Math.max(seq, ...unposted.filter(({ id }) => waiting.has(id)).map(one => one.seq));
  const returning = await tx.withdrawReturns();
  await tx.withdrawOpening({ by });
  const missing = await missingPosts(tx, throughSeq);
  const history = historyWork(
    { ...missing, messages: missing.messages.filter(({ id }) => !left.has(id)) },
    { room: Infinity, isDroppable: false },
  );
  await tx.enqueueAllForProvider([...history, ...returning]);
  return true;
}

const returnToBot = ({ id: handoffId }: HandoffRecord): EnqueuedWork => ({
  work: { kind: 'RETURN_TO_BOT', handoffId },
});

/** @param note an earlier delivery of the context note, if it has posted it or may have */
function lastSteps(handoff: HandoffRecord, note: string | null): readonly EnqueuedWork[] {
  const { id: handoffId } = handoff;
  if (handoff.origin === 'AGENT_TAKEOVER' && handoff.state !== 'REQUESTED')
    return [{ work: { kind: 'OPEN_TAKEOVER', handoffId } }];
  return [
    ...(contextNote(handoff) === null
      ? []
      : [
          {
            work: { kind: 'POST_CONTEXT_NOTE', handoffId, optional: true },
            ...(note !== null && { instead: note }),
          } as const,
        ]),
    { work: { kind: 'OPEN_HANDOFF', handoffId } },
  ];
}

interface MissingPost extends UnpostedMessage {
  /** An earlier, unfinished post of the message, which the new one replaces. */
  readonly letter: UnfinishedPost | null;
}

/** The messages that agents do not have and that no waiting delivery posts. */
interface Missing {
  readonly messages: readonly MissingPost[];
  /**
   * Transcripts that may have been posted. Each is looked up by its own id; a new file would post its messages twice.
   */
  readonly transcripts: readonly TranscriptPost[];
}

interface Bringing {
  readonly handoffId?: HandoffId;
  readonly room: number;
  /** Whether posts are dropped if the handoff ends before agents can see them. */
  readonly isDroppable: boolean;
}

function historyWork(
  { messages, transcripts }: Missing,
  { handoffId, room, isDroppable }: Bringing,
): readonly EnqueuedWork[] {
  const early = messages.slice(0, Math.max(0, messages.length - room));
  const inFile = handoffId === undefined ? [] : early.filter(({ letter }) => letter?.isUnknown !== true);
  const single = messages.filter(one => !inFile.includes(one));
  const works: EnqueuedWork[] = transcripts.map(
    ({ id: instead, work: { kind, handoffId: ofHandoff, throughSeq } }) => ({
      work: { kind, handoffId: ofHandoff, throughSeq, followedBy: messages.length, optional: true },
      instead,
    }),
  );
  if (inFile.length > 0)
    works.push({
      work: {
        kind: 'POST_TRANSCRIPT',
        handoffId: handoffId!,
        throughSeq: inFile.at(-1)!.seq,
        followedBy: single.length,
        optional: true,
        ...(isDroppable && { onlyForHandoff: true }),
      },
    });
  for (const { id: messageId, reactions, deletedAt, letter } of single) {
    // A post that replaces a dead letter is not dropped if this handoff ends.
    const ofHandoff =
      handoffId === undefined || letter?.state === 'PARKED'
        ? {}
        : { handoffId, ...(isDroppable && { onlyForHandoff: true as const }) };
    const work: PostMessage = { kind: 'POST_MESSAGE', messageId, optional: true, ...ofHandoff };
    works.push({ work, ...(letter !== null && { instead: letter.id }) });
    if (deletedAt === null)
      for (const { by, emoji } of reactions)
        works.push({
          work: {
            kind: 'FORWARD_REACTION',
            postId: `reaction:${by === 'BOT' ? 'bot' : 'user'}:${messageId}`,
            messageId,
            by,
            emoji,
            optional: true,
          },
        });
  }
  return works;
}

/**
 * Reads the messages that agents do not have and that no waiting delivery posts. It leaves out dead letters that only
 * an
 * operator can decide about, and those that block the lane.
 */
async function missingPosts(tx: SessionTransaction, throughSeq: number): Promise<Missing> {
  const unposted = await tx.unpostedSeqs(throughSeq);
  if (unposted.length === 0) return { messages: [], transcripts: [] };
  const unfinished = await tx.unfinishedPosts();
  const posts = sortPosts(unfinished);
  const letters = new Map<string, UnfinishedPost>();
  const brought = new Set<string>();
  for (const post of unfinished) {
    const { work } = post;
    if (await isBrought(tx, post)) brought.add(work.kind === 'POST_MESSAGE' ? work.messageId : post.id);
    else if (work.kind === 'POST_MESSAGE' && (post.state === 'PARKED' || post.state === 'DONE' || post.isUnknown))
      letters.set(work.messageId, post);
  }
  const transcripts = transcriptsToLookUp(
    tx,
    posts.transcripts.filter(({ id }) => !brought.has(id)),
  );
  const files = [...transcripts, ...posts.transcripts.filter(({ id }) => brought.has(id))];
  const missing = unposted.filter(one => !brought.has(one.id) && !files.some(file => isInFile(posts, file, one)));
  return { transcripts, messages: missing.map(one => ({ ...one, letter: letters.get(one.id) ?? null })) };
}

const isBrought = async (
  tx: LockedSession & HandoffRows & MessageRows,
  { work, state, isLeftToOperator, isBlockingLane }: UnfinishedPost,
): Promise<boolean> => isLeftToOperator || isBlockingLane || (state === 'WAITING' && (await isWanted(tx, work)));

/**
 * Returns whether a post of history is still needed. History that only one handoff needs is dropped if that handoff
 * ended
 * before agents could see it, unless messages were recorded during the handoff: those are posted, and the history
 * before
 * them. History of a handoff that failed because no conversation could be created is dropped, too: whoever creates the
 * conversation later posts everything that is missing.
 */
export async function isWanted(
  tx: LockedSession & HandoffRows & MessageRows,
  { handoffId, onlyForHandoff }: Pick<PostMessage, 'handoffId' | 'onlyForHandoff'>,
): Promise<boolean> {
  if (handoffId === undefined || tx.session.liveHandoffId === handoffId) return true;
  const handoff = await tx.findHandoff(handoffId);
  if (handoff === null || handoff.openedForAgents !== 'NO') return true;
  if (handoff.state === 'FAILED' && tx.session.conversationId === null) return false;
  return onlyForHandoff !== true || tx.hasMessageInHandoff(handoff.id, handoff.historyThroughSeq);
}
