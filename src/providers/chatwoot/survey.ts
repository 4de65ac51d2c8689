import type { AnswerSurvey } from '../../core/ports/provider/post-verbs';
import type { Observation } from '../../core/ports/provider/observation';
import { throwIfOver, type ChatwootClient } from './client';
import type { Connect } from './connection';
import type { WireConversation, WireMessage } from './wire';

/** The five faces of Chatwoot's survey, worst first. */
const CHOICES = ['😞', '😑', '😐', '😀', '😍'].map((label, i) => ({ rating: i + 1, label }));

/**
 * Address of the survey page, which Chatwoot builds from its FRONTEND_URL. If the text contains it, agents see it too;
 * according to the contract, 4.3 hides it from them.
 */
const PAGE = /https?:\/\/[^\s<>"]+\/survey\/responses\/[0-9a-f-]{36}/i;

/**
 * Parses the survey that Chatwoot sends when a conversation is resolved. `url` is null if the text does not contain the
 * page's address; the conversation's uuid then leads to it.
 */
export function parseSurvey(message: WireMessage): Extract<Observation, { kind: 'survey' }> | null {
  if (message.content_type !== 'input_csat') return null;
  const { rating, feedback_message: comment } = parseSurveyAnswer(message.content_attributes);
  return {
    kind: 'survey',
    id: String(message.id),
    question: message.content ?? '',
    url: PAGE.exec(message.content ?? '')?.[0] ?? null,
    choices: CHOICES,
    at: new Date(message.created_at * 1000).toISOString(),
    answer: Number.isSafeInteger(rating)
      ? { rating: rating as number, comment: typeof comment === 'string' && comment !== '' ? comment : null }
      : null,
  };
}

function parseSurveyAnswer(attributes: WireMessage['content_attributes']): Readonly<Record<string, unknown>> {
  const submitted = attributes?.['submitted_values'] as { csat_survey_response?: unknown } | null | undefined;
  return (
    typeof submitted?.csat_survey_response === 'object' ? (submitted.csat_survey_response ?? {}) : {}
  ) as Readonly<Record<string, unknown>>;
}

/** Reads a conversation's uuid. Only the REST API has it, webhooks do not. */
export async function readConversationUuid(
  user: ChatwootClient,
  conversationPath: string,
  signal: AbortSignal,
): Promise<string | null> {
  const { uuid } = (await user.json({ method: 'GET', path: conversationPath }, signal)) as WireConversation;
  return typeof uuid === 'string' && /^[0-9a-f-]{36}$/i.test(uuid) ? uuid : null;
}

/** Submits the answer as the survey's own page does. */
export async function answerSurvey(
  connect: Connect,
  { conversation, rating, comment }: AnswerSurvey,
  signal: AbortSignal,
): Promise<void> {
  throwIfOver(signal);
  const connection = connect(conversation.inbox.account);
  const uuid = await readConversationUuid(
    connection.user,
    connection.conversation(conversation.conversationId),
    signal,
  );
  if (uuid === null) return;
  const answer = { rating, feedback_message: comment ?? '' };
  await connection.user.json(
    {
      method: 'PUT',
      path: `/public/api/v1/csat_survey/${uuid}`,
      body: { message: { submitted_values: { csat_survey_response: answer } } },
    },
    signal,
  );
}
