import type { AgentTyping, TypingBoard, TypingTopic } from '../core/ports/typing';
import type { PostgresWake } from './postgres-wake';

export type TypingListener = (typing: AgentTyping) => void;

const CHANNEL = 'support_typing';
/** Postgres refuses payloads of 8,000 bytes and more. */
const MAX_PAYLOAD = 7_900;
/** Waiting to be told to other replicas; beyond that they are not told. */
const MOST_UNTOLD = 500;
const GATHER_MS = 50;

/** Tells this process at once and other replicas through NOTIFY, gathered, the newest word of each agent only. All of it may be lost. */
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

  /** What it returns takes the listener off again. */
  onTyping(topic: TypingTopic, listener: TypingListener): () => void {
    const key = keyOf(topic);
    const ofTopic = this.listeners.get(key) ?? new Set();
    this.listeners.set(key, ofTopic);
    // An own function, so that one listener may be there twice.
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

/** Ids of organizations and chatbots are other people's texts: no two topics may share a key. */
const keyOf = (topic: TypingTopic): string =>
  JSON.stringify('sessionId' in topic ? [topic.sessionId] : [topic.organizationId, topic.chatbotId]);

/** JSON arrays, each below the limit. One that no payload could hold is left out. */
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

/** Another version of this service may be on the other side. */
function heard(payload: string): readonly AgentTyping[] {
  try {
    const all: unknown = JSON.parse(payload);
    return (Array.isArray(all) ? all : []).filter((one): one is AgentTyping =>
      typeof one?.organizationId === 'string' && typeof one.chatbotId === 'string' && typeof one.sessionId === 'string' && typeof one.externalId === 'string' && typeof one.isTyping === 'boolean' && typeof one.at === 'string');
  } catch {
    return [];
  }
}
