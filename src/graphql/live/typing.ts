import { InvalidInputError } from '../../core/errors';
import type { Scope } from '../../core/flows/api';
import { instantOf, type Clock } from '../../core/ports/clock';
import type { AgentTyping, TypingTopic } from '../../core/ports/typing';
import { Bell, follow, type LiveSources } from './follow';
import { checkEnabled } from './runtime-deliveries';
import { existingSession } from './session-events';

/** Time without news after which an agent counts as stopped. Longer than agents' clients take to report a stop. */
export const AGENT_TYPING_EXPIRES_MS = 30_000;
/** Maximum number of typing agents per subscriber: in one session, and in several. Further agents are skipped. */
const MOST_IN_SESSION = 50;
const MOST_TOGETHER = 1_000;

export type TypingItem = Pick<AgentTyping, 'sessionId' | 'agentId' | 'isTyping' | 'at'>;

interface Agent { newest: AgentTyping; told: boolean; expiry: NodeJS.Timeout | undefined }

/**
 * The typing agents as known to one subscriber. Keeps the newest state of each agent in each session until it is sent.
 */
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

  /** Returns the changes since the last call, each once. */
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

/** The scope to follow: a session, a chatbot, or the organization if both are null. */
export interface TypingOf { readonly sessionId: string | null; readonly chatbotId: string | null }

/**
 * Follows agents who type. Yields no snapshot, then each start and stop. A slow subscriber gets the newest state of
 * each agent.
 * @throws InvalidInputError INPUT_INVALID when both a session and a chatbot are given
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
    throw new InvalidInputError('INPUT_INVALID', 'chatbotId', 'sessionId and chatbotId were given together. Give one of them, or neither for all sessions of the organization.');
  if (sessionId !== null) await existingSession(sources, scope, sessionId);
  if (chatbotId !== null) await checkEnabled(sources, scope, chatbotId);
}
