import type { AgentTyping, TypingBoard, TypingTopic } from '../../core/ports/typing';
import type { PostgresWake } from './postgres-wake';

export type TypingListener = (typing: AgentTyping) => void;

const CHANNEL = 'support_typing';
/** Postgres refuses payloads of 8,000 bytes and more. */
const MAX_PAYLOAD = 7_900;
/** The maximum number of typing states that wait for other replicas; further ones are not sent to them. */
const MAX_PENDING = 500;
const DEBOUNCE_MS = 50;

/**
 * Notifies this process at once, and other replicas through a debounced NOTIFY with each agent's newest state only. Any
 * of it may be lost.
 */
export class PostgresTyping implements TypingBoard {
  private readonly listeners = new Map<string, Set<TypingListener>>();
  private readonly pending = new Map<string, AgentTyping>();
  private debounceTimer: NodeJS.Timeout | undefined;

  constructor(private readonly wake: Pick<PostgresWake, 'listenOn' | 'publish'>) {
    wake.listenOn(CHANNEL, payload => {
      for (const typing of decodePayload(payload)) this.notifyListeners(typing);
    });
  }

  agentTyping(typing: AgentTyping): void {
    this.notifyListeners(typing);
    const key = `${typing.sessionId} ${typing.externalId}`;
    if (this.pending.size >= MAX_PENDING && !this.pending.has(key)) return;
    this.pending.set(key, typing);
    this.debounceTimer ??= setTimeout(() => {
      this.debounceTimer = undefined;
      const all = [...this.pending.values()];
      this.pending.clear();
      for (const payload of encodePayloads(all)) void this.wake.publish(CHANNEL, payload);
    }, DEBOUNCE_MS).unref();
  }

  /** Adds a listener. Returns a function that removes it. */
  onTyping(topic: TypingTopic, listener: TypingListener): () => void {
    const key = topicKey(topic);
    const ofTopic = this.listeners.get(key) ?? new Set();
    this.listeners.set(key, ofTopic);
    // A new function, so that the same listener may be added twice.
    const entry: TypingListener = typing => listener(typing);
    ofTopic.add(entry);
    return () => {
      ofTopic.delete(entry);
      if (ofTopic.size === 0 && this.listeners.get(key) === ofTopic) this.listeners.delete(key);
    };
  }

  private notifyListeners(typing: AgentTyping): void {
    const { sessionId, organizationId, chatbotId } = typing;
    for (const topic of [{ sessionId }, { organizationId, chatbotId }, { organizationId, chatbotId: null }])
      for (const listener of [...(this.listeners.get(topicKey(topic)) ?? [])]) listener(typing);
  }
}

/**
 * Returns the key of a topic. Ids of organizations and chatbots are arbitrary texts, so the encoding must be
 * unambiguous.
 */
const topicKey = (topic: TypingTopic): string =>
  JSON.stringify('sessionId' in topic ? [topic.sessionId] : [topic.organizationId, topic.chatbotId]);

/** Encodes the states as JSON arrays, each below the payload limit. A state that exceeds the limit alone is dropped. */
export function encodePayloads(all: readonly AgentTyping[]): string[] {
  const chunks: string[][] = [];
  let size = MAX_PAYLOAD;
  for (const text of all.map(typing => JSON.stringify(typing))) {
    const bytes = Buffer.byteLength(text) + 1;
    if (bytes > MAX_PAYLOAD - 2) continue;
    if (size + bytes > MAX_PAYLOAD - 2) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)!.push(text);
    size += bytes;
  }
  return chunks.map(chunk => `[${chunk.join(',')}]`);
}

/** Decodes a payload. The sender may be another version of this service. */
function decodePayload(payload: string): readonly AgentTyping[] {
  try {
    const all: unknown = JSON.parse(payload);
    return (Array.isArray(all) ? all : []).filter(
      (one): one is AgentTyping =>
        typeof one?.organizationId === 'string' &&
        typeof one.chatbotId === 'string' &&
        typeof one.sessionId === 'string' &&
        typeof one.externalId === 'string' &&
        typeof one.isTyping === 'boolean' &&
        typeof one.at === 'string',
    );
  } catch {
    return [];
  }
}
