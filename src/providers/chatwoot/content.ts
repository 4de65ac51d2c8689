import type { Attachment } from '../../core/message';
import type { WireAttachment, WireMessage } from './wire';

export interface Content {
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** What cannot be shown, in words for the agent who sent it. */
  readonly lacking: string | null;
}

/** Everything of a person's public message that an end-user can be shown; docs/message-kinds.md is the table of it. */
export function contentOf(message: WireMessage): Content {
  const parts = (message.attachments ?? []).map(partOf);
  const lines = [message.content ?? '', templateText(message), ...parts.map(({ text }) => text ?? '')].filter((line) => line !== '');
  const lacking = [
    ...(message.content_type === 'integrations' && !message.content ? ['a call or another integration'] : []),
    ...parts.flatMap((part) => (part.lacking === undefined ? [] : [part.lacking])),
  ];
  return {
    text: lines.join('\n'), attachments: parts.flatMap(({ file }) => (file === undefined ? [] : [file])),
    lacking: lacking.length === 0 ? null : lacking.join(', '),
  };
}

interface Part { readonly text?: string; readonly file?: Attachment; readonly lacking?: string }

/** Kinds that Chatwoot's API knows besides files. */
function partOf(attachment: WireAttachment): Part {
  const { file_type: kind, fallback_title: title, data_url: url, coordinates_lat: lat, coordinates_long: long } = attachment;
  switch (kind) {
    case 'location':
      return lat == null || long == null ? { lacking: 'a location without coordinates' }
        : { text: `${title ? `${title}: ` : 'Location: '}https://www.openstreetmap.org/?mlat=${lat}&mlon=${long}` };
    case 'contact':
      return title ? { text: `Contact: ${title}` } : { lacking: 'a contact card without content' };
    case 'fallback': case 'share': case 'story_mention': case 'ig_reel':
      return url ? { text: `${title ? `${title}: ` : ''}${url}` } : { lacking: `an attachment of the kind ${kind}` };
    default:
      return url ? { file: fileOf(attachment, url) } : { lacking: `an attachment of the kind ${String(kind ?? 'unknown').slice(0, 40)}` };
  }
}

type Item = Readonly<Record<string, unknown>>;
const itemsOf = (value: unknown): readonly Item[] => (Array.isArray(value) ? value.filter((item): item is Item => typeof item === 'object' && item !== null) : []);
const textOf = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

/** Choices, cards, forms and articles, as text that can be answered in words. */
function templateText({ content_type: kind, content_attributes: attributes }: WireMessage): string {
  const items = itemsOf(attributes?.['items']);
  switch (kind) {
    case 'input_select':
      return items.map(({ title }, i) => `${i + 1}. ${textOf(title)}`).join('\n');
    case 'cards':
      return items.map(({ title, description, media_url: media, actions }) => [
        textOf(title), textOf(description), textOf(media),
        ...itemsOf(actions).map(({ text, uri, payload }) => `- ${textOf(text)}${uri ? `: ${textOf(uri)}` : payload ? ` (${textOf(payload)})` : ''}`),
      ].filter((line) => line !== '').join('\n')).join('\n\n');
    case 'form':
      return items.map(({ label, name, options }) => {
        const choices = itemsOf(options).map(({ label: one, value }) => textOf(one) || textOf(value)).join(' / ');
        return `${textOf(label) || textOf(name)}: ${choices || '…'}`;
      }).join('\n');
    case 'article':
      return items.map(({ title, description, link }) => [textOf(title), textOf(description), textOf(link)].filter((line) => line !== '').join('\n')).join('\n\n');
    default:
      return '';
  }
}

function fileOf({ content_type, file_type, file_size }: WireAttachment, url: string): Attachment {
  const name = fileName(url);
  return { url, name, contentType: content_type ?? typeByName(name) ?? TYPE_BY_KIND[file_type ?? ''] ?? 'application/octet-stream', sizeBytes: file_size ?? null };
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
