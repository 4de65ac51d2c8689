import type { Observation } from '../../core/ports/support-provider';
import { contentOf } from './content';
import { surveyIn } from './survey';
import { shownName, type WireMessage } from './wire';

/** The key in `content_attributes` under which our own id of a post stands. */
export const MARK = 'support_message_id';

/** What a webhook that Chatwoot's own guard refused leaves on its message, from 4.14 on. */
export const isGuardRefusal = (attributes: WireMessage['content_attributes']): boolean =>
  /no public ip addresses|private|unsafe/i.test(String(attributes?.['external_error'] ?? ''));

const OUTGOING = 1;
const TEMPLATE = 3;
const IGNORED_TYPES: Readonly<Record<number, string>> = {
  0: 'an end-user\'s message that we did not post', 2: 'an activity line', 3: 'a template of a kind that we do not know',
};
const OUR_ID = /^([a-z]+:)*[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** What one row of a conversation's history means. Any row that went out as a webhook may be marked as failed by it. */
export function observe(message: WireMessage, botUserId: number | undefined): Observation {
  const found = meaningOf(message, botUserId);
  // Taking back the mark of an address that is always refused sends a webhook too, which marks it again.
  const isMarked = message.status === 'failed' && found.kind !== 'ignored' && !isGuardRefusal(message.content_attributes);
  return isMarked ? { ...found, shownAsFailed: true } : found;
}

/** Only a public message of a person is for the end-user; whatever is not surely that is not. */
function meaningOf(message: WireMessage, botUserId: number | undefined): Observation {
  const id = String(message.id);
  const ignored = (why: string): Observation => ({ kind: 'ignored', id, why });
  const { sender } = message;
  const person = sender?.type === 'user' && sender.id !== botUserId ? { externalId: String(sender.id), name: shownName(sender) } : null;

  // Our posts too, which keep nothing of ours but the number.
  if (message.content_attributes?.['deleted'] === true) return { kind: 'messageDeleted', id };
  const ourId = idOfOurs(message, person !== null);
  if (ourId !== null) return { kind: 'echo', id, ourId };
  const survey = message.message_type === TEMPLATE ? surveyIn(message) : null;
  if (survey !== null) return survey;
  if (isAutomaticReply(message)) return { kind: 'automaticReply', id, text: message.content ?? '', at: new Date(message.created_at * 1000).toISOString() };

  if (message.message_type === OUTGOING || message.message_type === 0) {
    const at = new Date(message.created_at * 1000).toISOString();
    if (message.private === true) return { kind: 'note', id, agent: person, at };
    if (message.message_type === OUTGOING && message.private === false && person) {
      const { text, content, attachments, lacking } = contentOf(message);
      if (text === '' && attachments.length === 0) return { kind: 'unshowable', id, what: lacking ?? 'it is empty', at };
      const answered = message.content_attributes?.['in_reply_to'];
      return {
        kind: 'agentMessage', id, agent: person, text, attachments, at,
        ...(content !== null && { content }), ...(lacking !== null && { lacking }), ...(Number.isSafeInteger(answered) && { replyTo: String(answered) }),
      };
    }
  }
  return ignored(IGNORED_TYPES[message.message_type] ?? 'not written by a person');
}

/** A greeting, or "we are closed": in public, in nobody's name, and nothing but text. Other templates ask for something. */
const isAutomaticReply = ({ message_type: type, private: isPrivate, sender, content_type: kind, content }: WireMessage): boolean =>
  type === TEMPLATE && isPrivate === false && sender == null && (kind ?? 'text') === 'text' && (content ?? '').trim() !== '';

/**
 * Our own id of a post of ours. Deleting a message wipes its attributes, and with them the mark; `source_id` stays.
 * A person's client may set a `source_id` of its own, so that alone proves nothing under a person's name.
 */
export function idOfOurs({ content_attributes, source_id }: WireMessage, byPerson: boolean): string | null {
  const mark = content_attributes?.[MARK];
  if (typeof mark === 'string') return mark;
  return !byPerson && source_id && OUR_ID.test(source_id) ? source_id : null;
}
