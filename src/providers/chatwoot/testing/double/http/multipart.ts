/** One part of a multipart/form-data body (RFC 7578). */
export interface Part {
  name: string;
  filename: string | undefined;
  contentType: string | undefined;
  bytes: Buffer;
}

export class MalformedMultipart extends Error {}

const CRLF = Buffer.from('\r\n');
const HEADER_END = Buffer.from('\r\n\r\n');

export function boundaryOf(contentType: string): string {
  const match = /;\s*boundary=(?:"((?:[^"\\]|\\.)+)"|([^;\s]+))/i.exec(contentType);
  const boundary = match?.[1]?.replace(/\\(.)/g, '$1') ?? match?.[2];
  if (!boundary || boundary.length > 70) throw new MalformedMultipart('the boundary is missing or too long');
  return boundary;
}

/**
 * Parses a body. A delimiter counts only at the start of a line and if only padding follows it, so that a file that
 * contains the boundary's text stays whole.
 */
export function parseMultipart(body: Buffer, boundary: string): Part[] {
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: Part[] = [];
  let start: number | undefined;
  let at = body.indexOf(delimiter);
  while (at !== -1) {
    const line = delimiterLine(body, at, delimiter.length);
    if (line && start !== undefined) parts.push(parsePart(body.subarray(start, Math.max(start, at - 2))));
    if (line?.closing) return parts;
    if (line) start = line.end;
    at = body.indexOf(delimiter, at + delimiter.length);
  }
  throw new MalformedMultipart('the closing boundary is missing');
}

function delimiterLine(body: Buffer, at: number, length: number): { closing: boolean; end: number } | undefined {
  const startsLine = at === 0 || body.subarray(at - 2, at).equals(CRLF);
  if (!startsLine) return undefined;
  let end = at + length;
  const closing = body.subarray(end, end + 2).toString('latin1') === '--';
  if (closing) end += 2;
  while (body[end] === 0x20 || body[end] === 0x09) end++;
  const endsLine = body.subarray(end, end + 2).equals(CRLF) || (closing && end === body.length);
  return endsLine ? { closing, end: end + 2 } : undefined;
}

function parsePart(part: Buffer): Part {
  const headerEnd = part.indexOf(HEADER_END);
  if (headerEnd === -1) throw new MalformedMultipart('a part has no headers');
  const headers = new Map<string, string>();
  for (const line of part.subarray(0, headerEnd).toString('utf8').split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const disposition = headers.get('content-disposition') ?? '';
  const name = parameter(disposition, 'name');
  if (!/^form-data\b/i.test(disposition) || name === undefined) throw new MalformedMultipart('a part has no name');
  return {
    name,
    filename: extendedParameter(disposition, 'filename') ?? parameter(disposition, 'filename'),
    contentType: headers.get('content-type'),
    bytes: Buffer.from(part.subarray(headerEnd + HEADER_END.length)),
  };
}

function parameter(header: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, 'i').exec(header);
  // In a file name, browsers write a quote as %22 and curl as \".
  return match?.[1]?.replace(/\\(["\\])/g, '$1').replace(/%22/g, '"') ?? match?.[2];
}

function extendedParameter(header: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}\\*=utf-8''([^;\\s]+)`, 'i').exec(header);
  return match?.[1] === undefined ? undefined : decodeURIComponent(match[1]);
}
