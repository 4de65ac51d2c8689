import type { AgentTyping } from '../../../src/core/ports/typing';
import { AGENT_TYPING_EXPIRES_MS, TypingAgents } from '../../../src/graphql/live/typing';

const typing = (externalId: string, isTyping: boolean): AgentTyping =>
  ({ organizationId: 'org-1', chatbotId: 'bot-1', sessionId: 's', externalId, agentId: externalId, isTyping, at: '2026-11-22T12:00:00.000Z' });

describe('who types, as one subscriber knows it', () => {
  let rings: number;
  let agents: TypingAgents;
  beforeEach(() => {
    jest.useFakeTimers();
    rings = 0;
    agents = new TypingAgents({ now: () => Date.parse('2026-11-22T12:00:30Z') }, () => { rings += 1; });
  });
  afterEach(() => jest.useRealTimers());
  const taken = () => agents.take().map(({ agentId, isTyping }) => `${agentId} ${isTyping ? 'on' : 'off'}`);

  it('is told once for each beginning and each stopping', () => {
    agents.hear(typing('alice', true));
    agents.hear(typing('bob', true));
    expect(taken()).toEqual(['alice on', 'bob on']);
    agents.hear(typing('alice', true));
    agents.hear(typing('bob', false));
    expect(taken()).toEqual(['bob off']);
    expect(taken()).toEqual([]);
  });

  it('is the newest of each agent, however late it is taken', () => {
    for (const isTyping of [true, false, true, false]) agents.hear(typing('alice', isTyping));
    agents.hear(typing('bob', true));
    expect(taken()).toEqual(['bob on']);
  });

  it('ends by itself when nothing more is heard, and not before', () => {
    agents.hear(typing('alice', true));
    expect(taken()).toEqual(['alice on']);
    jest.advanceTimersByTime(AGENT_TYPING_EXPIRES_MS - 1);
    agents.hear(typing('alice', true));
    jest.advanceTimersByTime(AGENT_TYPING_EXPIRES_MS - 1);
    expect(taken()).toEqual([]);
    const before = rings;
    jest.advanceTimersByTime(1);
    expect([rings, agents.take()]).toEqual([before + 1, [{ sessionId: 's', agentId: 'alice', isTyping: false, at: '2026-11-22T12:00:30.000Z' }]]);
  });

  it('is nobody who stopped without having begun, and a bounded number', () => {
    agents.hear(typing('alice', false));
    expect([taken(), rings]).toEqual([[], 0]);
    for (let n = 0; n < 200; n++) agents.hear(typing(`agent ${n}`, true));
    expect(taken()).toHaveLength(50);
  });

  it('keeps the sessions of one agent apart, up to its own bound', () => {
    const together = new TypingAgents({ now: () => 0 }, () => undefined, 3);
    for (const sessionId of ['a', 'b', 'c', 'd']) together.hear({ ...typing('alice', true), sessionId });
    together.hear({ ...typing('alice', false), sessionId: 'b' });
    together.hear({ ...typing('bob', true), sessionId: 'a' });
    expect(together.take().map(({ sessionId, agentId }) => `${agentId} ${sessionId}`)).toEqual(['alice a', 'alice c']);
    together.hear({ ...typing('bob', true), sessionId: 'd' });
    expect(together.take().map(({ sessionId, agentId }) => `${agentId} ${sessionId}`)).toEqual(['bob d']);
    together.forget();
  });

  it('leaves no timer behind', () => {
    agents.hear(typing('alice', true));
    agents.forget();
    expect(jest.getTimerCount()).toBe(0);
  });
});
