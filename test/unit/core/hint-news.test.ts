import { needsSync } from '../../../src/core/flows/from-provider/needs-sync';
import type { ConversationView } from '../../../src/core/conversation-view';
import type { StateHint } from '../../../src/core/ports/provider/webhook';

const alice = { externalId: 'alice', name: 'Alice' };
const view = (more: Partial<ConversationView> = {}): ConversationView => ({
  status: 'OPEN',
  agent: null,
  teamId: '47',
  ...more,
});

it.each<[string, StateHint, ConversationView | null, number, boolean]>([
  ['what we have just written', { status: 'OPEN' }, view(), 2, false],
  ['the team that we gave it', { teamId: '47' }, view(), 2, false],
  ['the whole state as it was seen last', { status: 'OPEN', agentId: null, teamId: '47' }, view(), 2, false],
  ['the agent who is known to have it', { agentId: 'alice' }, view({ agent: alice }), 2, false],
  ['nothing of the state', {}, view(), 2, false],
  ['another status', { status: 'RESOLVED' }, view(), 2, true],
  ['another team', { teamId: '48' }, view(), 2, true],
  ['no team any more', { teamId: null }, view(), 2, true],
  ['an agent', { agentId: 'alice' }, view(), 2, true],
  ['another agent', { agentId: 'bob' }, view({ agent: alice }), 2, true],
  ['no agent any more', { agentId: null }, view({ agent: alice }), 2, true],
  ['one part of several', { status: 'OPEN', agentId: 'alice' }, view(), 2, true],
  ['anything, while nothing was seen', { status: 'OPEN' }, null, 0, true],
  // While our own write is running, the state is ours or is ignored.
  ['a status in the middle of our writing', { status: 'RESOLVED' }, view(), 3, false],
  ['a team in the middle of our writing', { teamId: '48' }, null, 1, false],
  [
    'nobody in the middle of our writing',
    { status: 'BOT_HELD', agentId: null, teamId: '47' },
    view({ agent: alice }),
    3,
    false,
  ],
  ['an agent in the middle of our writing', { status: 'OPEN', agentId: 'alice' }, view(), 3, true],
])('a state hint that reports %s', (_what, shown, lastView, statusWrites, news) => {
  expect(needsSync({ lastView, statusWrites }, shown)).toBe(news);
});
