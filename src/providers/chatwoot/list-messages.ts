import type { Observation, ListMessages, ObservationPage } from '../../core/ports/provider/observation';
import { numberOf, type Connect } from './connection';
import { messagesAfter } from './history';
import { toObservation } from './mapping';
import { baseUrlOf, requestSecondsOf } from './settings';
import { readConversationUuid } from './survey';
import type { WireMessage } from './wire';

/** Limit of one page; a longer history is read in several. */
const MAX_MESSAGES = 1000;

export async function listMessages(
  connect: Connect,
  { conversation, after }: ListMessages,
  signal: AbortSignal,
): Promise<ObservationPage> {
  const connection = connect(conversation.inbox.account);
  const path = connection.conversation(conversation.conversationId);
  const start = after === null ? 0 : numberOf(after, 'message');
  const messages: WireMessage[] = [];
  let more = false;
  for await (const batch of messagesAfter(connection, path, start, signal)) {
    messages.push(...batch);
    if (messages.length < MAX_MESSAGES) continue;
    more = true;
    break;
  }
  /**
   * Adds the survey page's address, which costs one more call, made only if a survey lacks it. From 4.4 to 4.12
   * webhooks contain the address, but they are not trusted; so it is built from the base URL, as Chatwoot's
   * FRONTEND_URL is not visible.
   */
  async function addSurveyPage(observations: readonly Observation[]): Promise<readonly Observation[]> {
    if (!observations.some(one => one.kind === 'survey' && one.url === null)) return observations;
    const uuid = await readConversationUuid(connection.user, path, signal);
    const url = uuid === null ? null : `${baseUrlOf(conversation.inbox.account)}/survey/responses/${uuid}`;
    return observations.map(one => (one.kind === 'survey' && one.url === null ? { ...one, url } : one));
  }
  const settled = stableWatermark(messages, requestSecondsOf(connection.settings));
  const highest = messages.at(-1)?.id;
  // If there is more to read, the cursor must advance, or the reading would never end.
  const next = settled ?? (more ? highest : undefined);
  return {
    observations: await addSurveyPage(messages.map(message => toObservation(message, connection.botUserId))),
    after: next === undefined ? after : String(next),
    hasMore: more,
  };
}

/**
 * Returns the highest id up to which no message can still appear. A transaction may hold a lower id than one already
 * visible, but only for as long as a request may run. So ids are final up to the last message that is older than the
 * newest one by `requestSeconds`, by the server's clock.
 */
export function stableWatermark(ascending: readonly WireMessage[], requestSeconds: number): number | undefined {
  const newest = Math.max(...ascending.map(message => message.created_at));
  const firstYoung = ascending.findIndex(message => message.created_at > newest - requestSeconds);
  return firstYoung > 0 ? ascending[firstYoung - 1]?.id : undefined;
}
