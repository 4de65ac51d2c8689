import type { ContentBody, MessageContent } from '../../core/content';
import { plainTextOf } from '../../core/content/plain-text';
import type { Attachment } from '../../core/message';
import { articleText, parseTemplate } from './parse-template';
import type { WireAttachment, WireMessage } from './wire';

export interface ParsedContent {
  /** All of it as plain text. */
  readonly text: string;
  /** Null also if there are several structured parts; then only the text contains them all. */
  readonly content: MessageContent | null;
  readonly attachments: readonly Attachment[];
  /** The parts that end-users cannot be shown, described for the agent who sent them. */
  readonly omittedContent: string | null;
}

/** Converts a person's public message to what an end-user can be shown; docs/message-kinds.md has the table. */
export function parseContent(message: WireMessage): ParsedContent {
  const parts = (message.attachments ?? []).map(parsePart);
  const template = parseTemplate(message);
  const bodies = [
    ...(template === null ? [] : [template]),
    ...parts.flatMap(({ body }) => (body === undefined ? [] : [body])),
  ];
  const [body] = bodies.length === 1 ? bodies : [];
  const omittedContent = [
    ...(message.content_type === 'integrations' && !message.content ? ['a call or another integration'] : []),
    ...parts.flatMap(part => (part.omittedContent === undefined ? [] : [part.omittedContent])),
  ];
  const caption = joinLines([message.content ?? '', articleText(message), ...parts.map(({ text }) => text ?? '')]);
  return {
    text: joinLines([caption, ...bodies.map(one => plainTextOf('', one))]),
    content: body === undefined ? null : { ...body, caption },
    attachments: parts.flatMap(({ file }) => (file === undefined ? [] : [file])),
    omittedContent: omittedContent.length === 0 ? null : omittedContent.join(', '),
  };
}

const joinLines = (lines: readonly string[]): string => lines.filter(line => line !== '').join('\n');

interface ContentPart {
  readonly body?: ContentBody;
  readonly text?: string;
  readonly file?: Attachment;
  readonly omittedContent?: string;
}

/** Converts one attachment. Chatwoot's API has these kinds besides files. */
function parsePart(attachment: WireAttachment): ContentPart {
  const {
    file_type: kind,
    fallback_title: title,
    data_url: url,
    coordinates_lat: latitude,
    coordinates_long: longitude,
  } = attachment;
  switch (kind) {
    case 'location':
      return latitude == null || longitude == null
        ? { omittedContent: 'a location without coordinates' }
        : { body: { kind: 'LOCATION', latitude, longitude, title: title || null, address: null } };
    case 'contact':
      return title
        ? { body: { kind: 'CONTACT_CARD', name: title, organization: null, phones: [], emails: [] } }
        : { omittedContent: 'a contact card without content' };
    case 'fallback':
    case 'share':
    case 'story_mention':
    case 'ig_reel':
      return url
        ? { text: `${title ? `${title}: ` : ''}${url}` }
        : { omittedContent: `an attachment of the kind ${kind}` };
    default:
      return url
        ? { file: toAttachment(attachment, url) }
        : { omittedContent: `an attachment of the kind ${String(kind ?? 'unknown').slice(0, 40)}` };
  }
}

function toAttachment({ content_type, file_size }: WireAttachment, url: string): Attachment {
  const name = fileNameIn(url);
  return {
    url,
    name,
    contentType: content_type ?? typeByName(name) ?? 'application/octet-stream',
    sizeBytes: file_size ?? null,
  };
}

/** Returns the last part of an address, decoded for readers. */
export function fileNameIn(url: string): string {
  const last = url.split(/[?#]/)[0]?.split('/').at(-1) || 'file';
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/**
 * Media types by file extension. Up to 4.12 an attachment has no media type, only a kind and a file name. Without an
 * extension, the type is detected when the file is fetched.
 */
const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  heic: 'image/heic',
  pdf: 'application/pdf',
  txt: 'text/plain',
  csv: 'text/csv',
  json: 'application/json',
  xml: 'application/xml',
  zip: 'application/zip',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  wav: 'audio/wav',
  m4a: 'audio/mp4',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
};

const typeByName = (name: string): string | undefined => TYPES[name.split('.').at(-1)?.toLowerCase() ?? ''];
