import { readdir, readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import path from 'node:path';
import { MAX_PLAYGROUND_FILE_BYTES, PlaygroundFiles, type PlaygroundFile } from './files';

/** Facts about this process that the page needs. Not secret: anyone who can open the page can read them. */
export interface PlaygroundDescription {
  readonly organizationId: string;
  readonly chatbots: readonly { readonly id: string; readonly name: string }[];
  /** Pages of this process on which a person can act as the agent, as paths. */
  readonly agentPages: readonly { readonly path: string; readonly title: string }[];
  readonly teams: readonly { readonly id: string; readonly name: string }[];
}

export interface PlaygroundResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export interface PlaygroundRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
  readonly plainHeaders: Readonly<Record<string, string | undefined>>;
  /** @throws any error of reading the body, to which the server responds */
  readBody(limitBytes: number, sender: string): Promise<Buffer>;
}

/** Serves the page's paths. Returns null for other paths. */
export type PlaygroundPage = (request: PlaygroundRequest) => Promise<PlaygroundResponse | null>;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Images may come from any host, because agents' attachments may be at the provider's address. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  'img-src * data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const COMMON_HEADERS = {
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

export interface PlaygroundDeps {
  describe(): Promise<PlaygroundDescription>;
  /** Throws if the caller may not call this service. Called before a file is accepted. */
  identify(request: PlaygroundRequest): Promise<unknown>;
}

/**
 * Serves the page at `/`, its files below `/playground/`, its facts at `/playground.json`, and sent files below
 * `/playground/files/`.
 */
export function createPlayground({ describe, identify }: PlaygroundDeps): PlaygroundPage {
  let files: Promise<ReadonlyMap<string, PlaygroundResponse>> | undefined;
  const played = new PlaygroundFiles();
  return async request => {
    const { method, path } = request;
    if (method === 'POST' && path === '/playground/files') {
      await identify(request);
      return storeFile(played, request);
    }
    if (method !== 'GET' && method !== 'HEAD') return null;
    if (path === '/playground.json') return jsonResponse(200, await describe());
    const file = played.at(path);
    if (file !== null) return fileResponse(file);
    if (path !== '/' && !path.startsWith('/playground/')) return null;
    return (await (files ??= readFiles())).get(path) ?? null;
  };
}

const jsonResponse = (status: number, body: unknown): PlaygroundResponse => ({
  status,
  headers: { ...COMMON_HEADERS, 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(body),
});

/** Stores a raw body, so no form is parsed. Another site cannot send this content type without a CORS preflight. */
async function storeFile(
  played: PlaygroundFiles,
  { query, plainHeaders, readBody }: PlaygroundRequest,
): Promise<PlaygroundResponse> {
  const contentType = plainHeaders['x-file-type'] ?? '';
  const refuse = (status: number, code: string, message: string): PlaygroundResponse =>
    jsonResponse(status, { error: { code, message } });
  if (plainHeaders['content-type'] !== 'application/octet-stream')
    return refuse(
      415,
      'BYTES_REQUIRED',
      'The body is not application/octet-stream. Send the bytes of the file with that content type.',
    );
  if (!/^[\w.+-]{1,100}\/[\w.+-]{1,100}$/.test(contentType))
    return refuse(
      400,
      'INPUT_INVALID',
      'The header x-file-type is missing or invalid. Set it to the MIME type of the file, e.g. image/png.',
    );
  const content = await readBody(MAX_PLAYGROUND_FILE_BYTES, 'example');
  return jsonResponse(201, {
    path: played.add(query.get('name') ?? '', contentType, content),
    sizeBytes: content.length,
  });
}

/** Serves a file with arbitrary bytes, none of which may execute in this page's origin. */
const fileResponse = ({ name, contentType, content }: PlaygroundFile): PlaygroundResponse => ({
  status: 200,
  body: content,
  headers: {
    ...COMMON_HEADERS,
    'content-type': contentType,
    'content-security-policy': "default-src 'none'; sandbox",
    'content-disposition': `${/^image\/(png|jpeg|gif|webp)$/.test(contentType) ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(name)}`,
  },
});

async function readFiles(): Promise<ReadonlyMap<string, PlaygroundResponse>> {
  const folder = path.join(__dirname, 'page');
  const names = await readdir(folder);
  return new Map(
    await Promise.all(
      names.map(async (name): Promise<[string, PlaygroundResponse]> => {
        const contentType = CONTENT_TYPES[path.extname(name)];
        if (contentType === undefined)
          throw new Error(
            `src/playground/page/${name}: the file name extension has no content type. Add it to CONTENT_TYPES.`,
          );
        const headers = {
          ...COMMON_HEADERS,
          'content-type': contentType,
          ...(name === 'index.html' ? { 'content-security-policy': CONTENT_SECURITY_POLICY } : {}),
        };
        return [
          name === 'index.html' ? '/' : `/playground/${name}`,
          { status: 200, headers, body: await readFile(path.join(folder, name)) },
        ];
      }),
    ),
  );
}
