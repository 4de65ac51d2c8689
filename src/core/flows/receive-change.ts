import { instantOf } from '../ports/clock';
import { withoutLinks } from '../files';
import type { Instant, ProviderMessageId } from '../ids';
import type { SessionTransaction } from '../ports/stores';
import { receiveAutomaticReply, tellOfSurvey } from './receive-automatic';
import type { Observation } from '../ports/support-provider';
import type { FlowDeps } from './deps';

type Change = Extract<Observation, { readonly kind: 'unshowable' | 'messageDeleted' | 'survey' | 'automaticReply' }>;

/** An agent should know when end-users do not see what they sent. Said once for each message, or each of its files. */
export async function tellAgents(tx: SessionTransaction, about: ProviderMessageId, what: string, fileIndex?: number): Promise<void> {
  // A rule or a bot may answer the note with the next file, without end: of theirs it is said once.
  const isAutomatic = fileIndex !== undefined && (await tx.messageByProviderId(about))?.author === 'SYSTEM';
  const noteId = isAutomatic ? `unshown:${tx.session.id}:automatic` : `unshown:${tx.session.id}:${about}${fileIndex === undefined ? '' : `:${fileIndex}`}`;
  if (isAutomatic && await tx.hasNote(noteId)) return;
  await tx.oweProvider({ kind: 'POST_NOTE', noteId, about, text: `A part of your message was not shown to the end-user: ${what}.` });
}

/** What is found besides people's words: things taken back, things that cannot be shown, a survey, the provider's own words. Repeats change nothing. */
export async function receiveChange(tx: SessionTransaction, deps: FlowDeps, change: Change): Promise<void> {
  const at = instantOf(deps.clock.now());
  switch (change.kind) {
    case 'messageDeleted': {
      const message = await tx.messageByProviderId(change.id);
      // Of what never went out nobody has to be told.
      if (message === null || message.deletedAt !== null) return;
      await tx.updateMessage(message.id, { deletedAt: at, attachments: withoutLinks(message.attachments) });
      await tx.appendEvent({ type: 'MESSAGE_DELETED', messageId: message.id }, message.handoffId, at);
      // Agents may take anybody's words away, and believe them gone: whether they go on the channel too is the runtime's to say.
      if (message.visibility === 'PUBLIC') await tx.oweRuntime({ kind: 'MESSAGE_DELETED', messageId: message.id });
      if (deps.files !== undefined && message.attachments.length > 0) await tx.oweMedia({ kind: 'REMOVE_FILES', messageId: message.id });
      return;
    }
    case 'unshowable': {
      // Kept under its id, so that it is told once; INTERNAL, so that it goes nowhere.
      if ((await tx.messageByProviderId(change.id)) !== null) return;
      const message = await tx.insertMessage({
        id: deps.clock.newId(), author: 'AGENT', visibility: 'INTERNAL', text: '', attachments: [], authorName: null, agentId: null,
        handoffId: tx.liveHandoff?.id ?? null, callerMessageId: null, providerMessageId: change.id, createdAt: at,
      });
      await tx.appendEvent({ type: 'MESSAGE_RECORDED', messageId: message.id, author: message.author, visibility: message.visibility }, message.handoffId, at);
      return tellAgents(tx, change.id, change.what);
    }
    case 'automaticReply': return receiveAutomaticReply(tx, deps, change);
    case 'survey': {
      // A late answer belongs to the handoff that was asked about, whatever came since.
      const handoff = await tx.handoffOfSurvey(change.id) ?? await tx.lastHandoff();
      if (handoff === null) return tellOfSurvey(tx, change.id);
      const { survey } = handoff;
      const isKnown = survey?.externalId === change.id;
      // A survey page sends the rating at once, and the comment with it again when it is written.
      if (isKnown && (change.answer === null || isSameAnswer(survey.answer, change.answer))) return;
      const answer = change.answer === null ? null : { ...change.answer, at };
      await tx.updateHandoff(handoff.id, {
        survey: { externalId: change.id, url: change.url ?? (isKnown ? survey.url : null), question: change.question, choices: change.choices, offeredAt: change.at, answer },
      });
      if (!isKnown) {
        await tx.appendEvent({ type: 'SURVEY_OFFERED' }, handoff.id, at);
        if (answer === null) await tx.oweRuntime({ kind: 'SURVEY', handoffId: handoff.id });
      }
      if (answer !== null) await tx.appendEvent({ type: 'SURVEY_ANSWERED', rating: answer.rating }, handoff.id, at);
    }
  }
}

type Answer = { readonly rating: number; readonly comment: string | null };
const isSameAnswer = (known: Answer | null, seen: Answer): boolean => known !== null && known.rating === seen.rating && (known.comment ?? '') === (seen.comment ?? '');

/** How far agents have read. Repeats, and marks that were taken back there, change nothing. */
export async function receiveReadMark(tx: SessionTransaction, deps: FlowDeps, readAt: Instant | null): Promise<void> {
  const { agentsReadAt: before } = tx.session;
  if (readAt === null || (before !== null && Date.parse(readAt) <= Date.parse(before))) return;
  await tx.updateSession({ agentsReadAt: readAt });
  await tx.appendEvent({ type: 'AGENTS_READ', readAt }, tx.liveHandoff?.id ?? null, instantOf(deps.clock.now()));
}
