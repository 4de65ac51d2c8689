import { handOver, settleScene, begin, type RecordedCase } from './run-case';
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
      leads: 'says Bob, and nobody has it',
      given: [handOver, settleScene],
      act: [],
      requestedSync: 'ALL',
    },
    {
      file: 'conversation_updated.assigned.inbox',
      leads: 'says Bob, and Alice has it',
      given: [handOver, settleScene],
      act: [scene => scene.rooted.assign({ agentId: BOB }), scene => scene.alice.assignSelf()],
      requestedSync: 'ALL',
      effect: { told: ['ASSIGNED'], control: 'HUMAN', handoff: 'ASSIGNED Alice', view: 'OPEN, agent 4' },
    },
    {
      file: 'conversation_updated.team_assigned.inbox',
      leads: 'says team 1, and it is with team 2',
      given: [handOver, scene => scene.world.addTeam('one'), scene => scene.world.addTeam('two'), settleScene],
      act: [scene => scene.rooted.assign({ teamId: 2 })],
      requestedSync: 'ALL',
      effect: { view: 'OPEN, team 2' },
    },
    {
      file: 'conversation_status_changed.resolved.inbox',
      leads: 'says resolved, and it is open',
      given: [handOver, settleScene],
      act: [],
      requestedSync: 'ALL',
    },
    {
      file: 'agent_bot.conversation_resolved',
      leads: 'says resolved, and it is open',
      given: [handOver, settleScene],
      act: [],
      requestedSync: 'ALL',
    },
    {
      file: 'conversation_status_changed.pending.inbox',
      leads: 'says pending, and it is resolved by now',
      given: [handOver, settleScene],
      act: [scene => scene.rooted.returnToPending(), scene => scene.rooted.resolve()],
      ...ended('AGENT_RESOLVED'),
    },
    {
      file: 'conversation_status_changed.open.inbox',
      leads: 'says open, and the bot has it',
      given: [begin, settleScene],
      act: [],
      requestedSync: 'ALL',
    },
    {
      file: 'message_created.agent_reply.inbox',
      leads: 'shows words that do not exist',
      given: [handOver, settleScene],
      act: [],
      requestedSync: 'MESSAGES',
    },
    {
      file: 'message_created.agent_reply.inbox',
      leads: 'shows words that are deleted by now',
      given: [handOver, settleScene],
      act: [replies(46), scene => scene.alice.deleteMessage(46)],
      requestedSync: 'MESSAGES',
    },
    {
      file: 'message_updated.deleted.inbox',
      leads: 'says deleted, and the words stand',
      given: [handOver, replies(46), settleScene],
      act: [],
      requestedSync: 'MESSAGES',
    },
    {
      file: 'message_updated.status_failed.inbox',
      leads: 'says failed, and no mark stands',
      given: [handOver, replies(46), settleScene],
      act: [],
      requestedSync: 'MESSAGES',
    },
    {
      file: 'message_updated.csat_answer.inbox',
      leads: 'says answered, and nobody has',
      given: [handOver, taken, settleScene, resolvedAndAsked, settleScene],
      act: [],
      requestedSync: 'MESSAGES',
    },
  ] satisfies RecordedCase[]
).map(one => ({ ...one, isUntrue: true }));
