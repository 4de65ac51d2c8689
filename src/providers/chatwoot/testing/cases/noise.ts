import { begin, handOver, collectAll, type RecordedCase } from './run-case';
import { ALICE, type RecordedScene } from './scene';

const taken = (scene: RecordedScene) => scene.alice.assignSelf();
const seen = (isTyping: boolean) => [{ externalId: String(ALICE), isTyping }];
const contact = (scene: RecordedScene) =>
  scene.world.farSide.call('PUT', `${scene.world.accountPath}/contacts/1`, scene.world.admin, {
    name: 'Jane V. Visitor',
    custom_attributes: { tier: 1 },
  });

/** Webhooks that request no sync. */
export const noise: readonly RecordedCase[] = [
  {
    file: 'contact_created.account',
    effectName: 'changes a contact, and requests no sync',
    outcome: 'ignored',
    given: [handOver, collectAll],
    act: [],
    requestedSync: null,
  },
  {
    file: 'contact_updated.account',
    effectName: 'renames a contact, and requests no sync',
    outcome: 'ignored',
    given: [handOver, collectAll],
    act: [contact],
    requestedSync: null,
  },
  {
    file: 'conversation_updated.labels.inbox',
    effectName: 'changes labels, which belong to agents, and requests no sync',
    outcome: 'ignored',
    given: [handOver, taken, collectAll],
    act: [scene => scene.act('/labels', { labels: ['bot-handoff', 'unknown label'] })],
    requestedSync: null,
  },
  {
    file: 'conversation_updated.custom_attributes.inbox',
    effectName: 'changes attributes, which belong to agents, and requests no sync',
    outcome: 'ignored',
    given: [handOver, taken, collectAll],
    act: [
      scene => scene.act('/custom_attributes', { custom_attributes: { session_id: 'x', n: 1, nested: { a: [1] } } }),
    ],
    requestedSync: null,
  },
  {
    file: 'conversation_updated.waiting_since.account',
    effectName: "reports the waiting time after an end-user's message, and requests no sync",
    outcome: 'ignored',
    given: [handOver, collectAll],
    act: [
      async scene => {
        await scene.world.user(scene.sessionId, 'Hi');
        await scene.world.deliverAll();
      },
    ],
    requestedSync: null,
  },
  {
    file: 'conversation_typing_on.contact.inbox',
    effectName: 'reports that the end-user types, and notifies nobody',
    outcome: 'ignored',
    given: [handOver, collectAll],
    act: [],
    requestedSync: null,
  },
  {
    file: 'conversation_typing_on.agent.inbox',
    effectName: 'reports that Alice types',
    outcome: 'typing',
    given: [handOver, taken, collectAll],
    act: [],
    requestedSync: null,
    typing: seen(true),
  },
  {
    file: 'conversation_typing_off.agent.inbox',
    effectName: 'reports that Alice stops typing',
    outcome: 'typing',
    given: [handOver, taken, collectAll],
    act: [],
    requestedSync: null,
    typing: seen(false),
  },
  {
    file: 'conversation_typing_on.agent.inbox',
    effectName: 'notifies nobody while the bot has the conversation',
    outcome: 'ignored',
    given: [begin, collectAll],
    act: [],
    requestedSync: null,
  },
];
