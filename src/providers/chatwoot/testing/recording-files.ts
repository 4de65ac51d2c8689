import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface RestRecording {
  readonly file: string;
  readonly request: { readonly method: string; readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly body?: unknown };
  readonly response: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: unknown };
}

export interface WebhookRecording {
  readonly file: string;
  readonly secret?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Raw, as received. */
  readonly body: string;
}

/** Exchanges with real Chatwoot servers, kept beside the provider. */
export function recordings<Recording>(folder: 'rest' | 'rest-4.14' | 'webhooks' | 'webhooks-4.14'): Recording[] {
  const root = path.join(__dirname, 'recordings', folder);
  return readdirSync(root).filter((file) => file.endsWith('.json')).sort()
    .map((file) => ({ file: file.replace(/\.json$/, ''), ...JSON.parse(readFileSync(path.join(root, file), 'utf8')) as object }) as Recording);
}
