import type { Scope } from '../../core/flows/api';
import { instantOf, type Clock } from '../../core/ports/clock';
import type { AgentTyping } from '../../core/ports/typing';
import { Bell, follow, type LiveSources } from './follow';
import { existingSession } from './session-events';

/** An agent of whom nothing more is heard has stopped. Longer than agents' programs take to say that nobody writes any more. */
export const AGENT_TYPING_EXPIRES_MS = 30_000;
const MOST_AGENTS = 50;

export type TypingItem = Pick<AgentTyping, 'sessionId' | 'agentId' | 'isTyping' | 'at'>;

interface Agent { newest: AgentTyping; told: boolean; expiry: NodeJS.Timeout | undefined }

/** Who types in one Session, as one subscriber knows it: keeps the newest of each agent, whatever is not told yet. */
export class TypingAgents {
  private readonly agents = new Map<string, Agent>();

  constructor(private readonly clock: Pick<Clock, 'now'>, private readonly ring: () => void) {}

  hear(typing: AgentTyping): void {
    let agent = this.agents.get(typing.externalId);
    if (agent === undefined) {
      if (!typing.isTyping || this.agents.size >= MOST_AGENTS) return;
      this.agents.set(typing.externalId, agent = { newest: typing, told: false, expiry: undefined });
    }
    agent.newest = typing;
    clearTimeout(agent.expiry);
    if (typing.isTyping)
      agent.expiry = setTimeout(() => this.hear({ ...typing, isTyping: false, at: instantOf(this.clock.now()) }), AGENT_TYPING_EXPIRES_MS).unref();
    this.ring();
  }

  /** What is not told yet, once. */
  take(): TypingItem[] {
    const news: TypingItem[] = [];
    for (const [externalId, agent] of this.agents) {
      const { sessionId, agentId, isTyping, at } = agent.newest;
      if (isTyping !== agent.told) news.push({ sessionId, agentId, isTyping, at });
      agent.told = isTyping;
      if (!isTyping) this.agents.delete(externalId);
    }
    return news;
  }

  forget(): void { for (const { expiry } of this.agents.values()) clearTimeout(expiry); }
}

/** Starts with nothing and tells each agent's beginning and stopping. A slow subscriber gets the newest of each agent. */
export function agentsTyping(sources: LiveSources, scope: Scope, sessionId: string): Promise<AsyncIterableIterator<TypingItem>> {
  let agents: TypingAgents | undefined;
  const bell = new Bell(sources.open, (ring) => {
    agents = new TypingAgents(sources.clock, ring);
    const forget = sources.typing.onTyping(sessionId, (typing) => agents?.hear(typing));
    return () => {
      forget();
      agents?.forget();
    };
  });
  return follow(bell, () => existingSession(sources, scope, sessionId), async function* () {
    while (!bell.isClosed) {
      yield* agents?.take() ?? [];
      await bell.rung();
    }
  });
}
