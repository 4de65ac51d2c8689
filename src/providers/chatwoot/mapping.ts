import type { AutomaticSource, Observation } from '../../core/ports/provider/observation';
import { parseContent } from './parse-content';
import { parseSurvey } from './survey';
import { displayName, type WireMessage } from './wire';

/** The key in `content_attributes` under which a post has our own id. */
export const OUR_ID_ATTRIBUTE = 'support_message_id';

/** Recognizes the error that Chatwoot's guard leaves on a message whose webhook it refused (since 4.14). */
export const isGuardRefusal = (attributes: WireMessage['content_attributes']): boolean =>
  /no public ip addresses|private|unsafe/i.test(String(attributes?.['external_error'] ?? ''));

const OUTGOING = 1;
const TEMPLATE = 3;
const IGNORED_TYPES: Readonly<Record<number, string>> = {
  0: "an end-user's message that we did not post",
  2: 'an activity line',
};
const OUR_ID = /^([a-z]+:)*[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Converts one row of a conversation's history. A row may be marked as failed because its webhook failed. */
export function toObservation(message: WireMessage, botUserId: number | undefined): Observation {
  const found = classifyMessage(message, botUserId);
  // If the address is always refused, removing the mark would send a webhook whose refusal sets the mark again.
  const isMarked =
    message.status === 'failed' && found.kind !== 'ignored' && !isGuardRefusal(message.content_attributes);
  return isMarked ? { ...found, isMarkedFailed: true } : found;
}

/**
 * Classifies a row. Only a person's public message is certainly for the end-user. For other public rows the policy
 * decides; no other row is ever for the end-user.
 */
function classifyMessage(message: WireMessage, botUserId: number | undefined): Observation {
  const id = String(message.id);
  const ignored = (why: string): Observation => ({ kind: 'ignored', id, reason: why });
  const { sender } = message;
  const person =
    sender?.type === 'user' && sender.id !== botUserId
      ? { externalId: String(sender.id), name: displayName(sender) }
      : null;

  // Also for our own posts: a deleted row keeps nothing but its number.
  if (message.content_attributes?.['deleted'] === true) return { kind: 'messageDeleted', id };
  const ourId = findOurId(message, person !== null);
  if (ourId !== null) return { kind: 'echo', id, ourId };
  const survey = message.message_type === TEMPLATE ? parseSurvey(message) : null;
  if (survey !== null) return survey;
  const at = new Date(message.created_at * 1000).toISOString();
  if (isOutward(message) && (person === null || message.message_type === TEMPLATE))
    return automaticReply(message, botUserId, at);

  if (message.message_type === OUTGOING || message.message_type === 0) {
    if (message.private === true) return { kind: 'note', id, agent: person, at };
    if (isOutward(message) && person) {
      const { text, content, attachments, omittedContent } = parseContent(message);
      if (text === '' && attachments.length === 0)
        return { kind: 'unsupported', id, description: omittedContent ?? 'it is empty', at };
      const answered = message.content_attributes?.['in_reply_to'];
      return {
        kind: 'agentMessage',
        id,
        agent: person,
        text,
        attachments,
        at,
        ...(content !== null && { content }),
        ...(omittedContent !== null && { omittedContent }),
        ...(Number.isSafeInteger(answered) && { replyTo: String(answered) }),
      };
    }
  }
  return ignored(IGNORED_TYPES[message.message_type] ?? 'not written by a person');
}

/** Returns whether agents see the row as sent to the end-user. A row that does not say it is public is private. */
const isOutward = ({ message_type: type, private: isPrivate }: WireMessage): boolean =>
  (type === OUTGOING || type === TEMPLATE) && isPrivate === false;

/**
 * Converts a template, a rule's line (CONTRACT 4.4: `sender` null, `automation_rule_id`), or a message of a bot, of
 * BotAgent1's own token, or without a sender.
 */
function automaticReply(message: WireMessage, botUserId: number | undefined, at: string): Observation {
  const { text, content, attachments, omittedContent } = parseContent(message);
  return {
    kind: 'automaticReply',
    id: String(message.id),
    source: automaticSourceOf(message, botUserId),
    text: text.trim() === '' ? '' : text,
    content,
    attachments,
    at,
    omittedContent,
  };
}

function automaticSourceOf(
  { message_type: type, sender, content_attributes: attributes }: WireMessage,
  botUserId: number | undefined,
): AutomaticSource {
  const rule = attributes?.['automation_rule_id'];
  if (Number.isSafeInteger(rule)) return { kind: 'RULE', id: String(rule) };
  if (type === TEMPLATE) return { kind: 'PROVIDER', id: null };
  if (sender?.type === 'user' && sender.id === botUserId) return { kind: 'BOT', id: `user${sender.id}` };
  if (sender?.type && sender.type !== 'user') return { kind: 'BOT', id: `${sender.type.slice(0, 40)}${sender.id}` };
  return { kind: 'UNKNOWN', id: null };
}

/**
 * Returns our id of one of our posts, or null. Deleting a message, and an agent's "retry" of a failed one, clear its
 * attributes with our mark; `source_id` survives both (CONTRACT section 2, measured). A person's client may set any
 * `source_id`, so it proves nothing on a person's message.
 */
export function findOurId({ content_attributes, source_id }: WireMessage, byPerson: boolean): string | null {
  const mark = content_attributes?.[OUR_ID_ATTRIBUTE];
  if (typeof mark === 'string') return mark;
  return !byPerson && source_id && OUR_ID.test(source_id) ? source_id : null;
}
