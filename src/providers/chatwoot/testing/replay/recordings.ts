import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const RECORDING_FOLDERS = ['rest', 'rest-4.14', 'webhooks', 'webhooks-4.14'] as const;
export type RecordingFolder = (typeof RECORDING_FOLDERS)[number];

export interface RecordedExchange {
  request: { method: string; path: string; headers: Record<string, string>; body?: unknown };
  response: { status: number; headers: Record<string, string>; body: unknown };
}

export interface RecordedWebhook {
  /** The secret of the receiver's signature; only in signed recordings. */
  secret?: string;
  delivered_to: string;
  headers: Record<string, string>;
  /** The raw text as received. */
  body: string;
}

const ROOT = join(__dirname, '..', 'recordings');

export const recordingsIn = (folder: RecordingFolder): string[] =>
  readdirSync(join(ROOT, folder))
    .filter(name => name.endsWith('.json'))
    .sort();

export function readRecording<Kind>(folder: RecordingFolder, name: string): Kind {
  return JSON.parse(readFileSync(join(ROOT, folder, name), 'utf8')) as Kind;
}
