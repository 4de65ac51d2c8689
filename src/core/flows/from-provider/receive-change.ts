import { instantOf } from '../../ports/clock';
import { withoutLinks } from '../../files';
import type { Instant, ProviderMessageId } from '../../ids';
import type {
  SessionTransaction,
  LockedSession,
  HandoffRows,
  EventLog,
  MessageRows,
  DeliveryQueue,
} from '../../ports/session-transaction';
import { receiveAutomaticReply, noteSurveyNotForwarded } from './receive-automatic-reply';
import type { Observation } from '../../ports/provider/observation';
import type { StoreDeps, FileDeps } from '../deps';

type ChangeObservation = Extract<
  Observation,
  { readonly kind: 'unsupported' | 'messageDeleted' | 'survey' | 'automaticReply' }
>;

/** Notifies an agent that end-users do not see a part of their message. Enqueues one note per message or file. */
export async function notifyAgents(
  tx: LockedSession & MessageRows & DeliveryQueue,
  about: ProviderMessageId,
  what: string,
  fileIndex?: number,
): Promise<void> {
  // A rule or a bot may answer the note with another file, without end, so their files get one note in all.
  const isAutomatic = fileIndex !== undefined && (await tx.findMessageByProviderId(about))?.author === 'SYSTEM';
  const noteId = isAutomatic
    ? `unshown:${tx.session.id}:automatic`
    : `unshown:${tx.session.id}:${about}${fileIndex === undefined ? '' : `:${fileIndex}`}`;
  if (isAutomatic && (await tx.note(noteId)) !== null) return;
  await tx.enqueueForProvider({
    kind: 'POST_NOTE',
    noteId,
    about,
    text: `A part of your message was not shown to the end-user: ${what}.`,
  });
}

/**
 * Applies observations other than agents' messages: deletions, unsupported messages, surveys, automatic messages.
 * Repeats change nothing.
 */
export async function receiveChange(tx: SessionTransaction, deps: FileDeps, change: ChangeObservation): Promise<void> {
  const at = instantOf(deps.clock.now());
  switch (change.kind) {
    case 'messageDeleted': {
      const message = await tx.findMessageByProviderId(change.id);
      // A message that was never recorded needs no notice.
      if (message === null || message.deletedAt !== null) return;
      await tx.updateMessage(message.id, { deletedAt: at, attachments: withoutLinks(message.attachments) });
      await tx.appendEvent({ type: 'MESSAGE_DELETED', messageId: message.id }, message.handoffId, at);
      // Agents may delete anybody's messages and believe them gone. The runtime decides whether they are deleted on the
      // channel too.
      if (message.visibility === 'PUBLIC')
        await tx.enqueueForRuntime({ kind: 'MESSAGE_DELETED', messageId: message.id });
      if (deps.files !== undefined && message.attachments.length > 0)
        await tx.enqueueFileWork({ kind: 'DELETE_FILES', messageId: message.id });
      return;
    }
    case 'unsupported': {
      // Stored under its id, so that agents are notified once; INTERNAL, so that it is not forwarded.
      if ((await tx.findMessageByProviderId(change.id)) !== null) return;
      const message = await tx.insertMessage({
        id: deps.clock.newId(),
        author: 'AGENT',
        visibility: 'INTERNAL',
        text: '',
        attachments: [],
        authorName: null,
        agentId: null,
        handoffId: tx.liveHandoff?.id ?? null,
        callerMessageId: null,
        providerMessageId: change.id,
        createdAt: at,
      });
      await tx.appendEvent(
        { type: 'MESSAGE_RECORDED', messageId: message.id, author: message.author, visibility: message.visibility },
        message.handoffId,
        at,
      );
      return notifyAgents(tx, change.id, change.description);
    }
    case 'automaticReply':
      return receiveAutomaticReply(tx, deps, change);
    case 'survey':
      return receiveSurvey(tx, change, at);
  }
}

type SurveyObservation = Extract<Observation, { readonly kind: 'survey' }>;

/** Records a survey and its answer with the handoff that it asks about. */
async function receiveSurvey(tx: SessionTransaction, change: SurveyObservation, at: Instant): Promise<void> {
  // A late answer belongs to the handoff that the survey asked about, whatever came since.
  const handoff = (await tx.findHandoffOfSurvey(change.id)) ?? (await tx.findLastHandoff());
  if (handoff === null) return noteSurveyNotForwarded(tx, change.id);
  const { survey } = handoff;
  const isKnown = survey?.externalId === change.id;
  // A survey page sends the rating at once, and again with the comment once it is written.
  if (isKnown && (change.answer === null || isSameRating(survey.answer, change.answer))) return;
  const answer = change.answer === null ? null : { ...change.answer, at };
  await tx.updateHandoff(handoff.id, {
    survey: {
      externalId: change.id,
      url: change.url ?? (isKnown ? survey.url : null),
      question: change.question,
      choices: change.choices,
      offeredAt: change.at,
      answer,
    },
  });
  if (!isKnown) {
    await tx.appendEvent({ type: 'SURVEY_OFFERED' }, handoff.id, at);
    if (answer === null) await tx.enqueueForRuntime({ kind: 'SURVEY', handoffId: handoff.id });
  }
  if (answer !== null) await tx.appendEvent({ type: 'SURVEY_ANSWERED', rating: answer.rating }, handoff.id, at);
}

type SurveyRating = { readonly rating: number; readonly comment: string | null };
const isSameRating = (known: SurveyRating | null, seen: SurveyRating): boolean =>
  known !== null && known.rating === seen.rating && (known.comment ?? '') === (seen.comment ?? '');

/** Records how far agents have read. Repeats, and marks that were withdrawn there, change nothing. */
export async function receiveReadMark(
  tx: LockedSession & HandoffRows & EventLog,
  deps: StoreDeps,
  readAt: Instant | null,
): Promise<void> {
  const { agentsReadAt: before } = tx.session;
  if (readAt === null || (before !== null && Date.parse(readAt) <= Date.parse(before))) return;
  await tx.updateSession({ agentsReadAt: readAt });
  await tx.appendEvent({ type: 'AGENTS_READ', readAt }, tx.liveHandoff?.id ?? null, instantOf(deps.clock.now()));
}
