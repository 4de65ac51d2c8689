import { InvalidInputError } from '../../core/errors';
import type { Scope } from '../../core/flows/api';
import { instantOf, type Clock } from '../../core/ports/clock';
import type { AgentTyping, TypingTopic } from '../../core/ports/typing';
import { Bell, follow, type LiveSources } from './follow';
import { checkEnabled } from './runtime-deliveries';
import { existingSession } from './session-events';

/** An agent of whom nothing more is heard has stopped. Longer than agents' programs take to say that nobody writes any more. */
export const AGENT_TYPING_EXPIRES_MS = 30_000;
/** Agents who type at the same time, as far as one subscriber is told: in one Session, and in many together. Others are passed over. */
const MOST_IN_SESSION = 50;
const MOST_TOGETHER = 1_000;

export type TypingItem = Pick<AgentTyping, 'sessionId' | 'agentId' | 'isTyping' | 'at'>;

interface Agent { newest: AgentTyping; told: boolean; expiry: NodeJS.Timeout | undefined }

/** Who types, as one subscriber knows it: keeps the newest of each agent in each Session, whatever is not told yet. */
export class TypingAgents {
  private readonly agents = new Map<string, Agent>();

  constructor(private readonly clock: Pick<Clock, 'now'>, private readonly ring: () => void, private readonly most: number = MOST_IN_SESSION) {}

  hear(typing: AgentTyping): void {
    const key = `${typing.sessionId} ${typing.externalId}`;
    let agent = this.agents.get(key);
    if (agent === undefined) {
      if (!typing.isTyping || this.agents.size >= this.most) return;
      this.agents.set(key, agent = { newest: typing, told: false, expiry: undefined });
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
    for (const [key, agent] of this.agents) {
      const { sessionId, agentId, isTyping, at } = agent.newest;
      if (isTyping !== agent.told) news.push({ sessionId, agentId, isTyping, at });
      agent.told = isTyping;
      if (!isTyping) this.agents.delete(key);
    }
    return news;
  }

  forget(): void { for (const { expiry } of this.agents.values()) clearTimeout(expiry); }
}

/** Whose typing to follow: of a Session, of a chatbot, or of the organization where both are null. */
export interface TypingOf { readonly sessionId: string | null; readonly chatbotId: string | null }

/**
 * Starts with nothing and tells each agent's beginning and stopping. A slow subscriber gets the newest of each agent.
 * @throws InvalidInputError INPUT_INVALID when both a Session and a chatbot are given
 * @throws NotFoundError SESSION_NOT_FOUND, CHATBOT_NOT_ENABLED
 */
export function agentsTyping(sources: LiveSources, scope: Scope, of: TypingOf): Promise<AsyncIterableIterator<TypingItem>> {
  let agents: TypingAgents | undefined;
  const bell = new Bell(sources.open, (ring) => {
    agents = new TypingAgents(sources.clock, ring, of.sessionId === null ? MOST_TOGETHER : MOST_IN_SESSION);
    const forget = sources.typing.onTyping(topicOf(scope, of), (typing) => agents?.hear(typing));
    return () => {
      forget();
      agents?.forget();
    };
  });
  return follow(bell, () => checkExists(sources, scope, of), async function* () {
    while (!bell.isClosed) {
      yield* agents?.take() ?? [];
      await bell.rung();
    }
  });
}

const topicOf = ({ organizationId }: Scope, { sessionId, chatbotId }: TypingOf): TypingTopic =>
  (sessionId === null ? { organizationId, chatbotId } : { sessionId });

async function checkExists(sources: LiveSources, scope: Scope, { sessionId, chatbotId }: TypingOf): Promise<void> {
  if (sessionId !== null && chatbotId !== null)
    throw new InvalidInputError('INPUT_INVALID', 'chatbotId', 'sessionId and chatbotId are given together; give one of them, or neither for all sessions of the organization.');
  if (sessionId !== null) await existingSession(sources, scope, sessionId);
  if (chatbotId !== null) await checkEnabled(sources, scope, chatbotId);
}
