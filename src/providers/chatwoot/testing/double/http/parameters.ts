import { boundaryOf, MalformedMultipart, parseMultipart } from './multipart';
import { refuse } from './replies';
import type { Json } from '../model';

/** A file from a multipart body. */
export class UploadedFile {
  constructor(
    readonly filename: string,
    readonly contentType: string,
    readonly bytes: Buffer,
  ) {}
}

/** Nests `a[b]=1`, `a[]=1` and `a=1` as Rails does. */
function assign(target: Json, name: string, value: unknown): void {
  const path = [name.replace(/\[.*$/s, ''), ...[...name.matchAll(/\[([^\]]*)\]/g)].map(match => match[1] ?? '')];
  const own = path.slice(1).at(-1) === '' ? path.slice(0, -1) : path;
  let holder = target;
  for (const key of own.slice(0, -1)) {
    if (typeof holder[key] !== 'object' || holder[key] === null) holder[key] = {};
    holder = holder[key] as Json;
  }
  const last = own.at(-1) as string;
  if (own === path) holder[last] = value;
  else holder[last] = [...(Array.isArray(holder[last]) ? (holder[last] as unknown[]) : []), value];
}

export function parseQuery(search: URLSearchParams): Json {
  const query: Json = {};
  for (const [name, value] of search) assign(query, name, value);
  return query;
}

export function parseBody(contentType: string, body: Buffer): Json {
  if (body.length === 0) return {};
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return parseJson(body);
  if (type === 'multipart/form-data') return parseForm(contentType, body);
  if (type === 'application/x-www-form-urlencoded') return parseQuery(new URLSearchParams(body.toString('utf8')));
  return {};
}

/**
 * Returns whether all texts are well-formed. Chatwoot refuses the whole body for an unpaired surrogate anywhere in it.
 */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string')
    return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(isWellFormed);
}

/** Rails removes nulls from lists. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(one => one !== null).map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutNulls(one)]));
}

function parseJson(body: Buffer): Json {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (!isWellFormed(value)) throw refuse.badRequest();
    const munged = withoutNulls(value);
    return typeof munged === 'object' && munged !== null && !Array.isArray(munged)
      ? (munged as Json)
      : { _json: munged };
  } catch {
    throw refuse.badRequest();
  }
}

function parseForm(contentType: string, body: Buffer): Json {
  const form: Json = {};
  try {
    for (const part of parseMultipart(body, boundaryOf(contentType))) {
      const value =
        part.filename === undefined
          ? part.bytes.toString('utf8')
          : new UploadedFile(part.filename, part.contentType ?? '', part.bytes);
      assign(form, part.name, value);
    }
  } catch (error) {
    if (error instanceof MalformedMultipart) throw refuse.badRequest();
    throw error;
  }
  return form;
}
