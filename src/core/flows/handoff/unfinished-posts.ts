import type { MessageId } from '../../ids';
import type { MessageRecord } from '../../message';
import type { SessionTransaction, UnfinishedPost } from '../../ports/session-transaction';
import { transcriptId, type PostTranscript } from '../to-provider/transcript';

/** An unfinished post of a transcript. */
export interface TranscriptPost extends UnfinishedPost {
  readonly work: PostTranscript;
}

/** The unfinished posts of a session: each may post a message, or may have posted it. */
export interface UnfinishedPosts {
  /** The newest post of each message that is posted alone. */
  readonly singles: ReadonlyMap<MessageId, UnfinishedPost>;
  /** The newest post of each transcript. */
  readonly transcripts: readonly TranscriptPost[];
}

const isTranscript = (post: UnfinishedPost): post is TranscriptPost => post.work.kind === 'POST_TRANSCRIPT';

/** Sorts posts, given in the order in which they were enqueued. */
export function sortPosts(posts: readonly UnfinishedPost[]): UnfinishedPosts {
  const singles = new Map<MessageId, UnfinishedPost>();
  const transcripts = new Map<string, TranscriptPost>();
  for (const post of posts)
    if (isTranscript(post)) transcripts.set(transcriptId(post.work), post);
    else if (post.work.kind === 'POST_MESSAGE') singles.set(post.work.messageId, post);
  return { singles, transcripts: [...transcripts.values()] };
}

/** Returns whether the message is posted, or looked up, alone. */
const isBySelf = ({ state, isUnknown, isLeftToOperator }: UnfinishedPost): boolean =>
  state === 'WAITING' || isUnknown || isLeftToOperator;

/**
 * Returns whether the transcript contains the message. It does not if the message is posted alone, or if the message's
 * own post was enqueued after the transcript.
 */
export function isInFile(
  { singles }: UnfinishedPosts,
  { id, work }: TranscriptPost,
  message: Pick<MessageRecord, 'id' | 'seq'>,
): boolean {
  const single = singles.get(message.id);
  return (
    message.seq <= work.throughSeq && (single === undefined || (!isBySelf(single) && BigInt(single.id) < BigInt(id)))
  );
}

/**
 * Returns the transcripts that may be in the current conversation and that no waiting delivery looks up. A transcript
 * in
 * an earlier conversation was lost with it. Without a conversation, no transcript was posted.
 */
export const transcriptsToLookUp = (
  { session }: Pick<SessionTransaction, 'session'>,
  transcripts: readonly TranscriptPost[],
): readonly TranscriptPost[] =>
  transcripts.filter(
    ({ isUnknown, conversationId }) =>
      isUnknown &&
      session.conversationId !== null &&
      (conversationId === null || conversationId === session.conversationId),
  );

/**
 * Selects the messages that a transcript posts: those that no other post has posted, will post, or may have posted. A
 * shorter transcript comes before a longer one.
 */
export function messagesInFile(
  posts: UnfinishedPosts,
  { throughSeq }: PostTranscript,
  unposted: readonly MessageRecord[],
): readonly MessageRecord[] {
  const earlier = posts.transcripts.filter(
    ({ work, state, isUnknown, isLeftToOperator }) =>
      work.throughSeq < throughSeq && (state === 'WAITING' || isLeftToOperator || (state === 'PARKED' && isUnknown)),
  );
  return unposted.filter(message => {
    const single = posts.singles.get(message.id);
    return !(single !== undefined && isBySelf(single)) && !earlier.some(file => isInFile(posts, file, message));
  });
}
