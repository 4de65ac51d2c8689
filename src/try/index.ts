import { readdir, readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import path from 'node:path';
import { MAX_PLAYED_FILE_BYTES, PlayedFiles, type PlayedFile } from './files';

/** What the page has to know about this process. Nothing secret: anybody who can open the page reads it. */
export interface TryDescription {
  readonly organizationId: string;
  readonly chatbots: readonly { readonly id: string; readonly name: string }[];
  /** Pages of this process where a person can play the agent, as paths. */
  readonly agentPages: readonly { readonly path: string; readonly title: string }[];
  readonly teams: readonly { readonly id: string; readonly name: string }[];
}

export interface TryAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export interface TryRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
  readonly plainHeaders: Readonly<Record<string, string | undefined>>;
  /** @throws what reading a body throws; the server answers it */
  readBody(limitBytes: number, sender: string): Promise<Buffer>;
}

/** Answers what belongs to the page, or null when the path is not the page's. */
export type TryPage = (request: TryRequest) => Promise<TryAnswer | null>;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Pictures may come from anywhere: agents' attachments live at the provider's own address. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-src 'self'", 'img-src * data:',
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ');

const COMMON_HEADERS = { 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' } as const;

export interface TryDeps {
  describe(): Promise<TryDescription>;
  /** Throws for whoever may not call this service. Asked before a file is taken. */
  identify(request: TryRequest): Promise<unknown>;
}

/** The page at `/`, its files below `/try/`, what it reads about this process at `/try.json`, and the end-user's files below `/try/files/`. */
export function createTryPage({ describe, identify }: TryDeps): TryPage {
  let files: Promise<ReadonlyMap<string, TryAnswer>> | undefined;
  const played = new PlayedFiles();
  return async (request) => {
    const { method, path } = request;
    if (method === 'POST' && path === '/try/files') {
      await identify(request);
      return takeFile(played, request);
    }
    if (method !== 'GET' && method !== 'HEAD') return null;
    if (path === '/try.json') return jsonOf(200, await describe());
    const file = played.at(path);
    if (file !== null) return fileAnswer(file);
    if (path !== '/' && !path.startsWith('/try/')) return null;
    return (await (files ??= readFiles())).get(path) ?? null;
  };
}

const jsonOf = (status: number, body: unknown): TryAnswer =>
  ({ status, headers: { ...COMMON_HEADERS, 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(body) });

/** The bytes as they are, so that no form is parsed; another site cannot send this type without asking first. */
async function takeFile(played: PlayedFiles, { query, plainHeaders, readBody }: TryRequest): Promise<TryAnswer> {
  const contentType = plainHeaders['x-file-type'] ?? '';
  const refuse = (status: number, code: string, message: string): TryAnswer => jsonOf(status, { error: { code, message } });
  if (plainHeaders['content-type'] !== 'application/octet-stream') return refuse(415, 'BYTES_REQUIRED', 'Send the bytes of the file as application/octet-stream.');
  if (!/^[\w.+-]{1,100}\/[\w.+-]{1,100}$/.test(contentType)) return refuse(400, 'INPUT_INVALID', 'x-file-type: give the MIME type of the file, e.g. image/png.');
  const content = await readBody(MAX_PLAYED_FILE_BYTES, 'example');
  return jsonOf(201, { path: played.add(query.get('name') ?? '', contentType, content), sizeBytes: content.length });
}

/** Anybody's bytes: nothing in them may run in this page's name. */
const fileAnswer = ({ name, contentType, content }: PlayedFile): TryAnswer => ({
  status: 200, body: content,
  headers: {
    ...COMMON_HEADERS, 'content-type': contentType, 'content-security-policy': "default-src 'none'; sandbox",
    'content-disposition': `${/^image\/(png|jpeg|gif|webp)$/.test(contentType) ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(name)}`,
  },
});

async function readFiles(): Promise<ReadonlyMap<string, TryAnswer>> {
  const folder = path.join(__dirname, 'page');
  const names = await readdir(folder);
  return new Map(await Promise.all(names.map(async (name): Promise<[string, TryAnswer]> => {
    const contentType = CONTENT_TYPES[path.extname(name)];
    if (contentType === undefined) throw new Error(`src/try/page/${name}: no content type is known for this ending.`);
    const headers = { ...COMMON_HEADERS, 'content-type': contentType, ...(name === 'index.html' ? { 'content-security-policy': CONTENT_SECURITY_POLICY } : {}) };
    return [name === 'index.html' ? '/' : `/try/${name}`, { status: 200, headers, body: await readFile(path.join(folder, name)) }];
  })));
}
