import type { AgentTyping, TypingBoard, TypingTopic } from '../core/ports/typing';
import type { PostgresWake } from './postgres-wake';

export type TypingListener = (typing: AgentTyping) => void;

const CHANNEL = 'support_typing';
/** Postgres refuses payloads of 8,000 bytes and more. */
const MAX_PAYLOAD = 7_900;
/** The maximum number of typing states that wait for other replicas; further ones are not sent to them. */
const MOST_UNTOLD = 500;
const GATHER_MS = 50;

/**
 * Notifies this process at once, and other replicas through a debounced NOTIFY with each agent's newest state only. Any
 * of it may be lost.
 */
export class PostgresTyping implements TypingBoard {
  private readonly listeners = new Map<string, Set<TypingListener>>();
  private readonly untold = new Map<string, AgentTyping>();
  private gathering: NodeJS.Timeout | undefined;

  constructor(private readonly wake: Pick<PostgresWake, 'hear' | 'say'>) {
    wake.hear(CHANNEL, (payload) => { for (const typing of heard(payload)) this.ring(typing); });
  }

  agentTyping(typing: AgentTyping): void {
    this.ring(typing);
    const key = `${typing.sessionId} ${typing.externalId}`;
    if (this.untold.size >= MOST_UNTOLD && !this.untold.has(key)) return;
    this.untold.set(key, typing);
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      const all = [...this.untold.values()];
      this.untold.clear();
      for (const payload of payloads(all)) void this.wake.say(CHANNEL, payload);
    }, GATHER_MS).unref();
  }

  /** Adds a listener. Returns a function that removes it. */
  onTyping(topic: TypingTopic, listener: TypingListener): () => void {
    const key = keyOf(topic);
    const ofTopic = this.listeners.get(key) ?? new Set();
    this.listeners.set(key, ofTopic);
    // A new function, so that the same listener may be added twice.
    const entry: TypingListener = (typing) => listener(typing);
    ofTopic.add(entry);
    return () => {
      ofTopic.delete(entry);
      if (ofTopic.size === 0 && this.listeners.get(key) === ofTopic) this.listeners.delete(key);
    };
  }

  private ring(typing: AgentTyping): void {
    const { sessionId, organizationId, chatbotId } = typing;
    for (const topic of [{ sessionId }, { organizationId, chatbotId }, { organizationId, chatbotId: null }])
      for (const listener of [...this.listeners.get(keyOf(topic)) ?? []]) listener(typing);
  }
}

/**
 * Returns the key of a topic. Ids of organizations and chatbots are arbitrary texts, so the encoding must be
 * unambiguous.
 */
const keyOf = (topic: TypingTopic): string =>
  JSON.stringify('sessionId' in topic ? [topic.sessionId] : [topic.organizationId, topic.chatbotId]);

/** Encodes the states as JSON arrays, each below the payload limit. A state that exceeds the limit alone is dropped. */
export function payloads(all: readonly AgentTyping[]): string[] {
  const chunks: string[][] = [];
  let size = MAX_PAYLOAD;
  for (const text of all.map((typing) => JSON.stringify(typing))) {
    const bytes = Buffer.byteLength(text) + 1;
    if (bytes > MAX_PAYLOAD - 2) continue;
    if (size + bytes > MAX_PAYLOAD - 2) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)!.push(text);
    size += bytes;
  }
  return chunks.map((chunk) => `[${chunk.join(',')}]`);
}

/** Decodes a payload. The sender may be another version of this service. */
function heard(payload: string): readonly AgentTyping[] {
  try {
    const all: unknown = JSON.parse(payload);
    return (Array.isArray(all) ? all : []).filter((one): one is AgentTyping =>
      typeof one?.organizationId === 'string' && typeof one.chatbotId === 'string' && typeof one.sessionId === 'string' && typeof one.externalId === 'string' && typeof one.isTyping === 'boolean' && typeof one.at === 'string');
  } catch {
    return [];
  }
}
