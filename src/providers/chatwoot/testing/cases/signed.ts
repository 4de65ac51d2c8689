import { begin, settleScene, type RecordedCase } from './run-case';
import type { RecordedScene } from './scene';
import { openedByRoot, queued } from './states';

const visitorSays = async (scene: RecordedScene) => {
  scene.next(6);
  await scene.act('/messages', { content: 'hello signed é😀', message_type: 'incoming' });
};

/** Webhooks with a signature of 4.14. */
export const signed: readonly RecordedCase[] = [
  ...['account', 'agent_bot', 'inbox'].map(
    (to): RecordedCase => ({
      file: `message_created.${to}.signed`,
      leads: "a visitor's words go nowhere",
      given: [begin, settleScene],
      act: [visitorSays],
      requestedSync: 'MESSAGES',
    }),
  ),
  ...['account', 'inbox'].map(
    (to): RecordedCase => ({
      file: `conversation_created.${to}.signed`,
      leads: 'what we made is no news',
      given: [begin, settleScene],
      act: [],
      requestedSync: null,
    }),
  ),
  ...[
    'conversation_opened.agent_bot.signed',
    'conversation_status_changed.account.signed',
    'conversation_status_changed.agent_bot.signed',
    'conversation_status_changed.inbox.signed',
  ].map(
    (file): RecordedCase => ({
      file,
      leads: "opened by nobody's name it stands in the queue",
      given: [begin, settleScene],
      act: [openedByRoot],
      ...queued,
    }),
  ),
  ...['conversation_updated.account.signed', 'conversation_updated.inbox.signed'].map(
    (file): RecordedCase => ({
      file,
      leads: 'opened by an agent it is theirs',
      given: [begin, settleScene],
      act: [scene => scene.alice.reopen()],
      requestedSync: 'ALL',
      effect: { told: ['ASSIGNED'], control: 'HUMAN', handoff: 'ASSIGNED Alice', view: 'OPEN, agent 4' },
    }),
  ),
  {
    file: 'conversation_updated.agent_bot.signed',
    leads: 'that nobody waits any more is nothing to look at',
    outcome: 'ignored',
    given: [begin, settleScene],
    act: [],
    requestedSync: null,
  },
];
