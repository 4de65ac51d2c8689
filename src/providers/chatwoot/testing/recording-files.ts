import { EXPECTED } from './replay/expected-webhooks';
import { recordingsPlayed } from './replay/scripts';
import { readRecording, recordingsIn, type RecordingFolder } from './replay/recordings';

export interface RestRecording {
  readonly file: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

export interface WebhookRecording {
  readonly file: string;
  readonly secret?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Raw, as received. */
  readonly body: string;
}

/**
 * Returns the recordings of December, which show on 4.10 and 4.14.2 what the contract marks [both]. `file` begins with
 * the version.
 */
export function decemberRecordings<Recording>(kind: 'rest' | 'webhooks'): Recording[] {
  return (['4.10', '4.14'] as const).flatMap(version => {
    const folder = version === '4.10' ? kind : (`${kind}-4.14` as const);
    const first: ReadonlySet<string> = new Set(
      kind === 'rest' ? recordingsPlayed(version) : Object.keys(EXPECTED).map(name => `${name}.json`),
    );
    return recordingsIn(folder)
      .filter(name => !first.has(name) && !name.endsWith('.signed.json'))
      .map(
        name =>
          ({ file: `${version} ${name.replace(/\.json$/, '')}`, ...readRecording<object>(folder, name) }) as Recording,
      );
  });
}

/** Returns the recordings of the first servers, whose ids the tests use: 4.10.0, and a 4.14 that signs. */
export function firstRecordings<Recording extends { readonly file: string }>(folder: RecordingFolder): Recording[] {
  const later = new Set(
    decemberRecordings<{ readonly file: string }>(folder.startsWith('rest') ? 'rest' : 'webhooks').map(
      ({ file }) => file,
    ),
  );
  const version = folder.endsWith('4.14') ? '4.14' : '4.10';
  return recordings<Recording>(folder).filter(({ file }) => !later.has(`${version} ${file}`));
}

/** Returns exchanges recorded with real Chatwoot servers. */
export function recordings<Recording>(folder: RecordingFolder): Recording[] {
  return recordingsIn(folder).map(
    name => ({ file: name.replace(/\.json$/, ''), ...readRecording<object>(folder, name) }) as Recording,
  );
}
