import { begin, handOver, settle, type RecordedCase } from './play';
import { AGENT_BOT, ALICE, BOB, type Scene } from './scene';

export const openedByRoot = (scene: Scene) => scene.rooted.reopen();
const resolved = (scene: Scene) => scene.rooted.resolve();
const taken = (scene: Scene) => scene.alice.assignSelf();
const team = (name: string, members: readonly number[] = []) => (scene: Scene) => scene.world.addTeam(name, members);

export const queued: Pick<RecordedCase, 'wish' | 'effect'> = { wish: 'ALL', effect: { told: ['QUEUED'], control: 'NONE', handoff: 'QUEUED', view: 'OPEN' } };
export const ended = (reason: 'AGENT_RESOLVED' | 'AGENT_RETURNED'): Pick<RecordedCase, 'wish' | 'effect'> => ({
  wish: 'ALL', effect: { told: [`OUTCOME ENDED ${reason}`], control: 'BOT', handoff: `ENDED ${reason}`, view: reason === 'AGENT_RESOLVED' ? 'RESOLVED' : 'BOT_HELD' },
});

/** Agents' changes to a conversation. */
export const states: readonly RecordedCase[] = [
  ...['conversation_created.inbox', 'conversation_created.account'].map((file): RecordedCase => ({
    file, leads: 'says open, is looked at, and is held by the bot', given: [begin, settle], act: [], isUntrue: true, wish: 'ALL',
  })),
  { file: 'conversation_status_changed.open.inbox', leads: 'out of its sleep it is in the queue again', given: [handOver, (scene) => scene.rooted.snooze(), settle], act: [openedByRoot], ...queued },
  { file: 'conversation_status_changed.open.inbox', leads: 'opened by nobody\'s name it stands in the queue', given: [begin, settle], act: [openedByRoot], ...queued },
  {
    file: 'conversation_status_changed.pending.inbox', leads: 'the bot has it back', given: [handOver, settle], act: [(scene) => scene.rooted.returnToPending()],
    ...ended('AGENT_RETURNED'),
  },
  {
    file: 'conversation_status_changed.snoozed.inbox', leads: 'the handoff is on hold', given: [handOver, settle], act: [(scene) => scene.rooted.snooze()],
    wish: 'ALL', effect: { told: ['ON_HOLD'], control: 'HUMAN', handoff: 'ON_HOLD', view: 'ON_HOLD' },
  },
  ...['conversation_status_changed.resolved.inbox', 'conversation_updated.resolved.inbox', 'agent_bot.conversation_resolved'].map((file): RecordedCase => ({
    file, leads: 'the handoff ends', given: [handOver, settle], act: [resolved], ...ended('AGENT_RESOLVED'),
  })),
  {
    file: 'conversation_status_changed.reopened.inbox', leads: 'Alice, who still had it, takes it over again', given: [handOver, taken, settle, (scene) => scene.alice.resolve(), (scene) => scene.finish()],
    act: [(scene) => scene.alice.reopen()], wish: 'ALL', effect: { told: ['ASSIGNED'], control: 'HUMAN', handoff: 'ASSIGNED Alice', view: 'OPEN, agent 4' },
  },
  {
    file: 'conversation_status_changed.reopened.inbox', leads: 'by the end-user\'s own words is the bot\'s', given: [handOver, taken, settle, (scene) => scene.alice.resolve(), (scene) => scene.finish()],
    act: [
      (scene) => scene.world.farSide.call('POST', `${scene.world.accountPath}/inboxes/1/set_agent_bot`, scene.world.admin, { agent_bot: null }),
      async (scene) => { await scene.world.user(scene.sessionId, 'I am back'); await scene.world.deliverAll(); },
    ], wish: 'ALL', effect: { view: 'BOT_HELD', status: 'pending' },
  },
  { file: 'conversation_status_changed.bot_handoff.inbox', leads: 'our own opening is no news', given: [begin, settle], act: [async (scene) => { await scene.world.ask(scene.sessionId); await scene.world.deliverAll(); }], wish: null },
  ...['conversation_updated.bot_handoff.inbox', 'agent_bot.conversation_opened'].map((file): RecordedCase => ({
    file, leads: 'what somebody else opened stands in the queue', given: [begin, settle], act: [openedByRoot], ...queued,
  })),
  {
    file: 'conversation_updated.assigned.inbox', leads: 'Bob has it instead of Alice', given: [handOver, taken, settle], act: [(scene) => scene.rooted.assign({ agentId: BOB })],
    wish: 'ALL', effect: { told: ['ASSIGNED'], handoff: 'ASSIGNED Bob', view: 'OPEN, agent 5' },
  },
  {
    file: 'conversation_updated.unassigned.inbox', leads: 'another team has it, and nobody of it',
    given: [handOver, team('one', [ALICE]), team('two', [BOB]), (scene) => scene.rooted.assign({ agentId: BOB }), (scene) => scene.rooted.assign({ teamId: 2 }), settle],
    act: [(scene) => scene.rooted.assign({ teamId: 1 })],
    wish: 'ALL', effect: { told: ['QUEUED'], control: 'NONE', handoff: 'QUEUED', view: 'OPEN, team 1' },
  },
  {
    file: 'conversation_updated.team_assigned.inbox', leads: 'the team is known, and the queue is the queue', given: [handOver, team('one'), settle],
    act: [(scene) => scene.rooted.assign({ teamId: 1 })], wish: 'ALL', effect: { view: 'OPEN, team 1' },
  },
  {
    file: 'conversation_updated.agent_bot_assigned.inbox', leads: 'who gives it to our agent bot has given it back', given: [handOver, settle],
    act: [(scene) => scene.act('/assignments', { assignee_id: AGENT_BOT, assignee_type: 'AgentBot' })],
    wish: 'ALL', effect: { ...ended('AGENT_RETURNED').effect, status: 'pending' },
  },
];
