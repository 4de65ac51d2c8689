import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ProviderHttpResponse } from '../../../core/ports/provider/definition';
import { content, notFoundError } from './http';

/** The same relative place in `src` and in `dist`. */
const FOLDER = path.join(__dirname, '..', 'page');

const FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'desk.css': 'text/css; charset=utf-8',
  'desk.js': 'text/javascript; charset=utf-8',
  'api.js': 'text/javascript; charset=utf-8',
  'composer.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'list.js': 'text/javascript; charset=utf-8',
  'show.js': 'text/javascript; charset=utf-8',
  'thread.js': 'text/javascript; charset=utf-8',
};

/** Lets the page load only its own files, and only this service frame it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

export async function pageFile(name: string): Promise<ProviderHttpResponse> {
  const contentType = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  if (contentType === undefined) throw notFoundError('page');
  return content(await readFile(path.join(FOLDER, name)), contentType, {
    'content-security-policy': POLICY,
    'cache-control': 'no-cache',
  });
}
