import type { Attachment } from '../../core/message';
import type { Observation } from '../../core/ports/support-provider';
import { shownName, type WireAttachment, type WireMessage } from './wire';

/** The key in `content_attributes` under which our own id of a post stands. */
export const MARK = 'support_message_id';

const OUTGOING = 1;
const IGNORED_TYPES: Readonly<Record<number, string>> = {
  0: 'an end-user\'s message that we did not post', 2: 'an activity line', 3: 'a template (greeting, closed, survey)',
};
const OUR_ID = /^([a-z]+:)*[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * What one row of a conversation's history means. Only a public message of a person is for the end-user; whatever is not
 * surely that is not.
 */
export function observe(message: WireMessage, botUserId: number | undefined): Observation {
  const id = String(message.id);
  const ignored = (why: string): Observation => ({ kind: 'ignored', id, why });
  const { sender } = message;
  const person = sender?.type === 'user' && sender.id !== botUserId ? { externalId: String(sender.id), name: shownName(sender) } : null;

  const ourId = idOfOurs(message, person !== null);
  if (ourId !== null) return { kind: 'echo', id, ourId };
  if (message.content_attributes?.['deleted'] === true) return ignored('deleted');

  if (message.message_type === OUTGOING || message.message_type === 0) {
    const at = new Date(message.created_at * 1000).toISOString();
    if (message.private === true) return { kind: 'note', id, agent: person, at };
    if (message.message_type === OUTGOING && message.private === false && person) {
      const text = message.content ?? '';
      const attachments = (message.attachments ?? []).flatMap(attachmentOf);
      return text === '' && attachments.length === 0 ? ignored('empty') : { kind: 'agentMessage', id, agent: person, text, attachments, at };
    }
  }
  return ignored(IGNORED_TYPES[message.message_type] ?? 'not written by a person');
}

/**
 * Our own id of a post of ours. Deleting a message wipes its attributes, and with them the mark; `source_id` stays.
 * A person's client may set a `source_id` of its own, so that alone proves nothing under a person's name.
 */
export function idOfOurs({ content_attributes, source_id }: WireMessage, byPerson: boolean): string | null {
  const mark = content_attributes?.[MARK];
  if (typeof mark === 'string') return mark;
  return !byPerson && source_id && OUR_ID.test(source_id) ? source_id : null;
}

function attachmentOf({ data_url: url, content_type, file_type, file_size }: WireAttachment): Attachment[] {
  if (!url) return [];
  const name = fileName(url);
  return [{ url, name, contentType: content_type ?? typeByName(name) ?? TYPE_BY_KIND[file_type ?? ''] ?? 'application/octet-stream', sizeBytes: file_size ?? null }];
}

function fileName(url: string): string {
  const last = url.split(/[?#]/)[0]?.split('/').at(-1) || 'file';
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** Up to 4.12 an attachment has no type, only a kind and its file's name. */
const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', svg: 'image/svg+xml', heic: 'image/heic',
  pdf: 'application/pdf', txt: 'text/plain', csv: 'text/csv', json: 'application/json', xml: 'application/xml', zip: 'application/zip',
  doc: 'application/msword', docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xls: 'application/vnd.ms-excel', xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  mp3: 'audio/mpeg', ogg: 'audio/ogg', oga: 'audio/ogg', wav: 'audio/wav', m4a: 'audio/mp4', mp4: 'video/mp4', mov: 'video/quicktime', webm: 'video/webm',
};
const TYPE_BY_KIND: Readonly<Record<string, string>> = { image: 'image/jpeg', audio: 'audio/mpeg', video: 'video/mp4' };

const typeByName = (name: string): string | undefined => TYPES[name.split('.').at(-1)?.toLowerCase() ?? ''];
