import { begin, collectAll, type RecordedCase } from './run-case';
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
      effectName: "does not forward a visitor's message",
      given: [begin, collectAll],
      act: [visitorSays],
      requestedSync: 'MESSAGES',
    }),
  ),
  ...['account', 'inbox'].map(
    (to): RecordedCase => ({
      file: `conversation_created.${to}.signed`,
      effectName: 'reports our own creation, and changes nothing',
      given: [begin, collectAll],
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
      effectName: 'queues a conversation that was opened without an agent',
      given: [begin, collectAll],
      act: [openedByRoot],
      ...queued,
    }),
  ),
  ...['conversation_updated.account.signed', 'conversation_updated.inbox.signed'].map(
    (file): RecordedCase => ({
      file,
      effectName: 'gives the handoff to the agent who opened the conversation',
      given: [begin, collectAll],
      act: [scene => scene.alice.reopen()],
      requestedSync: 'ALL',
      effect: { notices: ['ASSIGNED'], control: 'HUMAN', handoff: 'ASSIGNED Alice', view: 'OPEN, agent 4' },
    }),
  ),
  {
    file: 'conversation_updated.agent_bot.signed',
    effectName: 'reports the end of the waiting time, and requests no sync',
    outcome: 'ignored',
    given: [begin, collectAll],
    act: [],
    requestedSync: null,
  },
];
