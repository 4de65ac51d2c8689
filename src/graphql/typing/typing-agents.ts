import { InvalidInputError } from '../../core/errors';
import type { Scope } from '../../core/flows/api/scope';
import { instantOf, type Clock } from '../../core/ports/clock';
import type { AgentTyping, TypingTopic } from '../../core/ports/typing';
import { WakeSignal, createIterator } from '../live/wake-signal';
import type { LiveSources } from '../live/live-sources';
import { checkEnabled } from '../runtime/runtime-deliveries';
import { requireSession } from '../live/session-events';

/** Time without news after which an agent counts as stopped. Longer than agents' clients take to report a stop. */
export const AGENT_TYPING_EXPIRES_MS = 30_000;
/** Maximum number of typing agents per subscriber: in one session, and in several. Further agents are skipped. */
const MAX_AGENTS_IN_SESSION = 50;
const MAX_AGENTS = 1_000;

export type TypingItem = Pick<AgentTyping, 'sessionId' | 'agentId' | 'isTyping' | 'at'>;

interface AgentState {
  newest: AgentTyping;
  sent: boolean;
  expiry: NodeJS.Timeout | undefined;
}

/**
 * The typing agents as known to one subscriber. Keeps the newest state of each agent in each session until it is sent.
 */
export class TypingAgents {
  private readonly agents = new Map<string, AgentState>();

  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly notify: () => void,
    private readonly most: number = MAX_AGENTS_IN_SESSION,
  ) {}

  receive(typing: AgentTyping): void {
    const key = `${typing.sessionId} ${typing.externalId}`;
    let agent = this.agents.get(key);
    if (agent === undefined) {
      if (!typing.isTyping || this.agents.size >= this.most) return;
      this.agents.set(key, (agent = { newest: typing, sent: false, expiry: undefined }));
    }
    agent.newest = typing;
    clearTimeout(agent.expiry);
    if (typing.isTyping)
      agent.expiry = setTimeout(
        () => this.receive({ ...typing, isTyping: false, at: instantOf(this.clock.now()) }),
        AGENT_TYPING_EXPIRES_MS,
      ).unref();
    this.notify();
  }

  /** Returns the changes since the last call, each once. */
  takeChanges(): TypingItem[] {
    const news: TypingItem[] = [];
    for (const [key, agent] of this.agents) {
      const { sessionId, agentId, isTyping, at } = agent.newest;
      if (isTyping !== agent.sent) news.push({ sessionId, agentId, isTyping, at });
      agent.sent = isTyping;
      if (!isTyping) this.agents.delete(key);
    }
    return news;
  }

  clear(): void {
    for (const { expiry } of this.agents.values()) clearTimeout(expiry);
  }
}

/** The scope to follow: a session, a chatbot, or the organization if both are null. */
export interface TypingScope {
  readonly sessionId: string | null;
  readonly chatbotId: string | null;
}

/**
 * Follows agents who type. Yields no snapshot, then each start and stop. A slow subscriber gets the newest state of
 * each agent.
 * @throws InvalidInputError INPUT_INVALID when both a session and a chatbot are given
 * @throws NotFoundError SESSION_NOT_FOUND, CHATBOT_NOT_ENABLED
 */
export function typingAgents(
  sources: LiveSources,
  scope: Scope,
  of: TypingScope,
): Promise<AsyncIterableIterator<TypingItem>> {
  let agents: TypingAgents | undefined;
  const wakeSignal = new WakeSignal(sources.openSubscriptions, notify => {
    agents = new TypingAgents(sources.clock, notify, of.sessionId === null ? MAX_AGENTS : MAX_AGENTS_IN_SESSION);
    const forget = sources.typing.onTyping(topicOf(scope, of), typing => agents?.receive(typing));
    return () => {
      forget();
      agents?.clear();
    };
  });
  return createIterator(
    wakeSignal,
    () => checkExists(sources, scope, of),
    async function* () {
      while (!wakeSignal.isClosed) {
        yield* agents?.takeChanges() ?? [];
        await wakeSignal.wait();
      }
    },
  );
}

const topicOf = ({ organizationId }: Scope, { sessionId, chatbotId }: TypingScope): TypingTopic =>
  sessionId === null ? { organizationId, chatbotId } : { sessionId };

async function checkExists(sources: LiveSources, scope: Scope, { sessionId, chatbotId }: TypingScope): Promise<void> {
  if (sessionId !== null && chatbotId !== null)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'chatbotId',
      'sessionId and chatbotId were given together. Give one of them, or neither for all sessions of the organization.',
    );
  if (sessionId !== null) await requireSession(sources, scope, sessionId);
  if (chatbotId !== null) await checkEnabled(sources, scope, chatbotId);
}
