import { handOver, collectAll, begin, type RecordedCase } from './run-case';
import { BOB, type RecordedScene } from './scene';
import { ended } from './states';
import { resolvedAndAsked, taken } from './surveys';

const replies = (id: number) => async (scene: RecordedScene) => {
  scene.next(id);
  await scene.alice.reply('Hello, Alice here');
};

/** Bodies whose claim is false or outdated: a sync reads the conversation, and its result counts. */
export const untrue: readonly RecordedCase[] = (
  [
    {
      file: 'conversation_updated.assigned.inbox',
      effectName: 'claims Bob, but nobody is assigned',
      given: [handOver, collectAll],
      act: [],
      requestedSync: 'ALL',
    },
    {
      file: 'conversation_updated.assigned.inbox',
      effectName: 'claims Bob, but Alice is assigned',
      given: [handOver, collectAll],
      act: [scene => scene.rooted.assign({ agentId: BOB }), scene => scene.alice.assignSelf()],
      requestedSync: 'ALL',
      effect: { notices: ['ASSIGNED'], control: 'HUMAN', handoff: 'ASSIGNED Alice', view: 'OPEN, agent 4' },
    },
    {
      file: 'conversation_updated.team_assigned.inbox',
      effectName: 'claims team 1, but team 2 is assigned',
      given: [handOver, scene => scene.world.addTeam('one'), scene => scene.world.addTeam('two'), collectAll],
      act: [scene => scene.rooted.assign({ teamId: 2 })],
      requestedSync: 'ALL',
      effect: { view: 'OPEN, team 2' },
    },
    {
      file: 'conversation_status_changed.resolved.inbox',
      effectName: 'claims resolved, but the conversation is open',
      given: [handOver, collectAll],
      act: [],
      requestedSync: 'ALL',
    },
    {
      file: 'agent_bot.conversation_resolved',
      effectName: 'claims resolved, but the conversation is open',
      given: [handOver, collectAll],
      act: [],
      requestedSync: 'ALL',
    },
    {
      file: 'conversation_status_changed.pending.inbox',
      effectName: 'claims pending, but the conversation is already resolved',
      given: [handOver, collectAll],
      act: [scene => scene.rooted.returnToPending(), scene => scene.rooted.resolve()],
      ...ended('AGENT_RESOLVED'),
    },
    {
      file: 'conversation_status_changed.open.inbox',
      effectName: 'claims open, but the bot has the conversation',
      given: [begin, collectAll],
      act: [],
      requestedSync: 'ALL',
    },
    {
      file: 'message_created.agent_reply.inbox',
      effectName: 'contains a message that does not exist',
      given: [handOver, collectAll],
      act: [],
      requestedSync: 'MESSAGES',
    },
    {
      file: 'message_created.agent_reply.inbox',
      effectName: 'contains a message that is already deleted',
      given: [handOver, collectAll],
      act: [replies(46), scene => scene.alice.deleteMessage(46)],
      requestedSync: 'MESSAGES',
    },
    {
      file: 'message_updated.deleted.inbox',
      effectName: 'claims a deletion, but the message exists',
      given: [handOver, replies(46), collectAll],
      act: [],
      requestedSync: 'MESSAGES',
    },
    {
      file: 'message_updated.status_failed.inbox',
      effectName: 'claims a failed message, but there is no mark',
      given: [handOver, replies(46), collectAll],
      act: [],
      requestedSync: 'MESSAGES',
    },
    {
      file: 'message_updated.csat_answer.inbox',
      effectName: 'claims an answered survey, but there is no answer',
      given: [handOver, taken, collectAll, resolvedAndAsked, collectAll],
      act: [],
      requestedSync: 'MESSAGES',
    },
  ] satisfies RecordedCase[]
).map(one => ({ ...one, isUntrue: true }));
