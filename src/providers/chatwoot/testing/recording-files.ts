import { readRecording, recordingsIn, type RecordingFolder } from './replay/recordings';

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
export function recordings<Recording>(folder: RecordingFolder): Recording[] {
  return recordingsIn(folder).map((name) => ({ file: name.replace(/\.json$/, ''), ...readRecording<object>(folder, name) }) as Recording);
}
