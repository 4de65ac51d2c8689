import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

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

/** Answers the GET of one path, or null when the path is not the page's. */
export type TryPage = (path: string) => Promise<TryAnswer | null>;

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

/** The page at `/`, its files below `/try/`, and what it reads about this process at `/try.json`. */
export function createTryPage(deps: { describe(): Promise<TryDescription> }): TryPage {
  let files: Promise<ReadonlyMap<string, TryAnswer>> | undefined;
  return async (requested) => {
    if (requested === '/try.json')
      return { status: 200, headers: { ...COMMON_HEADERS, 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(await deps.describe()) };
    if (requested !== '/' && !requested.startsWith('/try/')) return null;
    return (await (files ??= readFiles())).get(requested) ?? null;
  };
}

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
