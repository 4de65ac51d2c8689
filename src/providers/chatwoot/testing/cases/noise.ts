import { begin, handOver, settleScene, type RecordedCase } from './run-case';
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
    leads: 'a contact is nothing to look at',
    outcome: 'ignored',
    given: [handOver, settleScene],
    act: [],
    requestedSync: null,
  },
  {
    file: 'contact_updated.account',
    leads: 'another name of a contact is nothing to look at',
    outcome: 'ignored',
    given: [handOver, settleScene],
    act: [contact],
    requestedSync: null,
  },
  {
    file: 'conversation_updated.labels.inbox',
    leads: "labels are the agents' own",
    outcome: 'ignored',
    given: [handOver, taken, settleScene],
    act: [scene => scene.act('/labels', { labels: ['bot-handoff', 'unknown label'] })],
    requestedSync: null,
  },
  {
    file: 'conversation_updated.custom_attributes.inbox',
    leads: "attributes are the agents' own, ours included",
    outcome: 'ignored',
    given: [handOver, taken, settleScene],
    act: [
      scene => scene.act('/custom_attributes', { custom_attributes: { session_id: 'x', n: 1, nested: { a: [1] } } }),
    ],
    requestedSync: null,
  },
  {
    file: 'conversation_updated.waiting_since.account',
    leads: 'that somebody waits follows every word of an end-user',
    outcome: 'ignored',
    given: [handOver, settleScene],
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
    leads: 'the end-user types, who is not told so',
    outcome: 'ignored',
    given: [handOver, settleScene],
    act: [],
    requestedSync: null,
  },
  {
    file: 'conversation_typing_on.agent.inbox',
    leads: 'Alice is seen to type',
    outcome: 'typing',
    given: [handOver, taken, settleScene],
    act: [],
    requestedSync: null,
    typing: seen(true),
  },
  {
    file: 'conversation_typing_off.agent.inbox',
    leads: 'Alice is seen to stop',
    outcome: 'typing',
    given: [handOver, taken, settleScene],
    act: [],
    requestedSync: null,
    typing: seen(false),
  },
  {
    file: 'conversation_typing_on.agent.inbox',
    leads: 'while the bot has it nobody is told',
    outcome: 'ignored',
    given: [begin, settleScene],
    act: [],
    requestedSync: null,
  },
];
