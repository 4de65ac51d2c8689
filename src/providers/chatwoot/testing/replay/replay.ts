import { differences, type CompareOptions } from './compare';
import { readRecording, type RecordedExchange, type RecordedWebhook, type RecordingFolder } from './recordings';
import { Receiver, type ReceivedWebhook } from './receiver';
import { startChatwootDouble, type ChatwootDouble, type ChatwootDoubleOptions } from '../double';

/** A response body. Tests read any field of it. */
export type Answer = any;

export interface PlayOptions extends CompareOptions {
  /** Replaces the recorded path where our ids differ. */
  path?: string;
  /** Replaces the recorded body. */
  body?: unknown;
}

interface RecordedPart {
  name: string;
  value?: string;
  filename?: string;
  type?: string;
  size?: number;
}

/** Replays recordings at one double with one receiver, translating recorded values to theirs. */
export class Replay {
  /** Values in recorded requests, and their replacements. */
  readonly replacements = new Map<string, string>();
  /** Values that one step keeps for a later one. */
  readonly remembered: Record<string, Answer> = {};
  private aheadMs = 0;
  private constructor(readonly receiver: Receiver) {}

  double!: ChatwootDouble;

  static async open(options: ChatwootDoubleOptions = {}): Promise<Replay> {
    const theatre = new Replay(await Receiver.open());
    theatre.double = await startChatwootDouble({ clock: () => new Date(Date.now() + theatre.aheadMs), ...options });
    theatre.replacements.set('http://127.0.0.1:4010', theatre.receiver.url);
    theatre.replacements.set('<PLATFORM_TOKEN>', theatre.double.platformToken);
    return theatre;
  }

  /** Advances the double's clock: the recordings took minutes, which some responses show. */
  advance(ms: number): void {
    this.aheadMs += ms;
  }

  async close(): Promise<void> {
    await this.double.stop();
    await this.receiver.close();
  }

  /** Makes a call for a preparation, which must succeed. `who` is the name of a token, as in `<ADMIN_TOKEN>`. */
  async call(who: string | null, method: string, path: string, body?: unknown): Promise<Answer> {
    const token: Record<string, string> = who === null ? {} : { 'api-access-token': this.translate(`<${who}_TOKEN>`) };
    const response = await fetch(this.double.baseUrl + path, {
      method,
      headers: { ...token, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  /** Sends the recorded request and compares the response with the recorded one. */
  async play(folder: RecordingFolder, name: string, options: PlayOptions = {}): Promise<Answer> {
    const { request, response } = readRecording<RecordedExchange>(folder, name);
    const sent = await this.send(request, options);
    const text = await sent.text();
    const isEmpty = response.headers['content-length'] === '0';
    const isJson = response.headers['content-type']?.startsWith('application/json');
    const body: Answer = isJson && text !== '' ? JSON.parse(text) : text;
    const found = [
      ...(sent.status === response.status
        ? []
        : [`status: recorded ${response.status}, got ${sent.status} ${text.slice(0, 300)}`]),
      ...differences(response.headers['content-type'], sent.headers.get('content-type') ?? '', {}, 'content-type'),
      ...differences(isEmpty ? '' : response.body, body, options),
    ];
    if (found.length > 0) throw new Error(`${name} differs:\n  ${found.join('\n  ')}`);
    return body;
  }

  private send(request: RecordedExchange['request'], options: PlayOptions): Promise<Response> {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([key, value]) => [key, this.translate(value)]),
    );
    const body = options.body ?? request.body;
    const parts = (body as { multipart?: RecordedPart[] } | undefined)?.multipart;
    const url = this.double.baseUrl + this.translate(options.path ?? request.path);
    if (parts) {
      delete headers['content-type'];
      return fetch(url, { method: request.method, headers, body: formOf(parts) });
    }
    const json = body === undefined ? {} : { body: this.translate(JSON.stringify(body)) };
    return fetch(url, { method: request.method, headers, ...json });
  }

  /** Compares a received webhook with the recorded one. */
  compareWebhook(folder: RecordingFolder, name: string, came: ReceivedWebhook, options: CompareOptions = {}): void {
    const recorded = readRecording<RecordedWebhook>(folder, name);
    const stable = (headers: Record<string, unknown>) =>
      Object.fromEntries(
        ['content-type', 'user-agent', 'accept', 'accept-encoding', 'authorization']
          .filter(key => headers[key] !== undefined)
          .map(key => [key, headers[key]]),
      );
    const found = [
      ...(came.url === recorded.delivered_to ? [] : [`delivered to ${came.url}, recorded ${recorded.delivered_to}`]),
      ...differences(stable(recorded.headers), stable(came.headers), {}, 'headers'),
      ...differences(JSON.parse(recorded.body), JSON.parse(came.body), options),
    ];
    if (found.length > 0) throw new Error(`${name} differs:\n  ${found.join('\n  ')}`);
  }

  translate(text: string): string {
    let translated = text.replace(/<x repeated (\d+) times>/g, (_match, times) => 'x'.repeat(Number(times)));
    for (const [recorded, ours] of this.replacements) translated = translated.replaceAll(recorded, ours);
    return translated;
  }
}

/** Builds a form. The recordings contain a file's length but not its bytes. */
function formOf(parts: RecordedPart[]): FormData {
  const form = new FormData();
  for (const part of parts) {
    if (part.filename === undefined) form.append(part.name, part.value ?? '');
    else form.append(part.name, new Blob([bytesOf(part)], { type: part.type ?? '' }), part.filename);
  }
  return form;
}

/** One transparent pixel, in the 70 bytes that were recorded. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const bytesOf = (part: RecordedPart) => (part.type === 'image/png' ? PIXEL : Buffer.alloc(part.size ?? 0, 'x'));
