import type { Observation, ReadForward, ReadPage } from '../../core/ports/support-provider';
import { numberOf, type Connect } from './connection';
import { messagesAfter } from './history';
import { observe } from './mapping';
import { baseUrlOf, requestSecondsOf } from './settings';
import { uuidOf } from './survey';
import type { WireMessage } from './wire';

/** Of one answer; a longer history is read in several. */
const MOST_MESSAGES = 1000;

export async function readForward(connect: Connect, { conversation, after }: ReadForward, signal: AbortSignal): Promise<ReadPage> {
  const connection = connect(conversation.inbox.account);
  const path = connection.conversation(conversation.conversationId);
  const start = after === null ? 0 : numberOf(after, 'message');
  const messages: WireMessage[] = [];
  let more = false;
  for await (const batch of messagesAfter(connection, path, start, signal)) {
    messages.push(...batch);
    if (messages.length < MOST_MESSAGES) continue;
    more = true;
    break;
  }
  /**
   * Only then one call more. From 4.4 to 4.12 webhooks name the page, but those are not believed; so it is made of the
   * base URL, where Chatwoot's FRONTEND_URL is not shown.
   */
  async function withSurveyPage(observations: readonly Observation[]): Promise<readonly Observation[]> {
    if (!observations.some((one) => one.kind === 'survey' && one.url === null)) return observations;
    const uuid = await uuidOf(connection.user, path, signal);
    const url = uuid === null ? null : `${baseUrlOf(conversation.inbox.account)}/survey/responses/${uuid}`;
    return observations.map((one) => (one.kind === 'survey' && one.url === null ? { ...one, url } : one));
  }
  const settled = settledUpTo(messages, requestSecondsOf(connection.settings));
  const highest = messages.at(-1)?.id;
  // Standing still with more to read would never end.
  const next = settled ?? (more ? highest : undefined);
  return {
    observations: await withSurveyPage(messages.map((message) => observe(message, connection.botUserId))),
    after: next === undefined ? after : String(next), more,
  };
}

/**
 * The highest id below which nothing can appear any more. Another transaction may hold a lower id than one we see; it
 * cannot hold one that is lower than a message of as long before the newest as a request may run, by the server's own clock.
 */
export function settledUpTo(ascending: readonly WireMessage[], requestSeconds: number): number | undefined {
  const newest = Math.max(...ascending.map((message) => message.created_at));
  const firstYoung = ascending.findIndex((message) => message.created_at > newest - requestSeconds);
  return firstYoung > 0 ? ascending[firstYoung - 1]?.id : undefined;
}
