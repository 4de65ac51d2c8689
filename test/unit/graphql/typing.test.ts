import type { AgentTyping } from '../../../src/core/ports/typing';
import { AGENT_TYPING_EXPIRES_MS, TypingAgents } from '../../../src/graphql/typing/typing-agents';

const typing = (externalId: string, isTyping: boolean): AgentTyping => ({
  organizationId: 'org-1',
  chatbotId: 'bot-1',
  sessionId: 's',
  externalId,
  agentId: externalId,
  isTyping,
  at: '2026-11-22T12:00:00.000Z',
});

describe('the typing state of one subscriber', () => {
  let rings: number;
  let agents: TypingAgents;
  beforeEach(() => {
    jest.useFakeTimers();
    rings = 0;
    agents = new TypingAgents({ now: () => Date.parse('2026-11-22T12:00:30Z') }, () => {
      rings += 1;
    });
  });
  afterEach(() => jest.useRealTimers());
  const taken = () => agents.takeChanges().map(({ agentId, isTyping }) => `${agentId} ${isTyping ? 'on' : 'off'}`);

  it('reports each start and each stop once', () => {
    agents.receive(typing('alice', true));
    agents.receive(typing('bob', true));
    expect(taken()).toEqual(['alice on', 'bob on']);
    agents.receive(typing('alice', true));
    agents.receive(typing('bob', false));
    expect(taken()).toEqual(['bob off']);
    expect(taken()).toEqual([]);
  });

  it('is the newest of each agent, however late it is read', () => {
    for (const isTyping of [true, false, true, false]) agents.receive(typing('alice', isTyping));
    agents.receive(typing('bob', true));
    expect(taken()).toEqual(['bob on']);
  });

  it('expires when no further signal arrives, and not before', () => {
    agents.receive(typing('alice', true));
    expect(taken()).toEqual(['alice on']);
    jest.advanceTimersByTime(AGENT_TYPING_EXPIRES_MS - 1);
    agents.receive(typing('alice', true));
    jest.advanceTimersByTime(AGENT_TYPING_EXPIRES_MS - 1);
    expect(taken()).toEqual([]);
    const before = rings;
    jest.advanceTimersByTime(1);
    expect([rings, agents.takeChanges()]).toEqual([
      before + 1,
      [{ sessionId: 's', agentId: 'alice', isTyping: false, at: '2026-11-22T12:00:30.000Z' }],
    ]);
  });

  it('ignores a stop without a start, and is bounded', () => {
    agents.receive(typing('alice', false));
    expect([taken(), rings]).toEqual([[], 0]);
    for (let n = 0; n < 200; n++) agents.receive(typing(`agent ${n}`, true));
    expect(taken()).toHaveLength(50);
  });

  it('keeps the sessions of one agent apart, up to their own limit', () => {
    const together = new TypingAgents({ now: () => 0 }, () => undefined, 3);
    for (const sessionId of ['a', 'b', 'c', 'd']) together.receive({ ...typing('alice', true), sessionId });
    together.receive({ ...typing('alice', false), sessionId: 'b' });
    together.receive({ ...typing('bob', true), sessionId: 'a' });
    expect(together.takeChanges().map(({ sessionId, agentId }) => `${agentId} ${sessionId}`)).toEqual([
      'alice a',
      'alice c',
    ]);
    together.receive({ ...typing('bob', true), sessionId: 'd' });
    expect(together.takeChanges().map(({ sessionId, agentId }) => `${agentId} ${sessionId}`)).toEqual(['bob d']);
    together.clear();
  });

  it('leaves no timer running', () => {
    agents.receive(typing('alice', true));
    agents.clear();
    expect(jest.getTimerCount()).toBe(0);
  });
});
