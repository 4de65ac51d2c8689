import { begin, handOver, collectAll, type RecordedCase } from './run-case';
import { ALICE, type RecordedScene } from './scene';

const replies = (id: number, text: string) => async (scene: RecordedScene) => {
  scene.next(id);
  await scene.alice.reply(text);
};
/** Posts as the visitor, which only this service should do. */
const visitorSays =
  (id: number, content: string, more: object = {}) =>
  async (scene: RecordedScene) => {
    scene.next(id);
    await scene.act('/messages', { content, message_type: 'incoming', ...more });
  };

async function visitorSendsFiles(scene: RecordedScene): Promise<void> {
  const form = new FormData();
  form.append('content', 'see the file');
  form.append('message_type', 'incoming');
  form.append('attachments[]', new Blob(['a note'], { type: 'text/plain' }), 'note.txt');
  form.append('attachments[]', new Blob(['a dot'], { type: 'image/png' }), 'dot.png');
  scene.next(24);
  const { world } = scene;
  const response = await fetch(`${world.double.baseUrl}${world.accountPath}/conversations/1/messages`, {
    method: 'POST',
    headers: { 'api-access-token': world.admin },
    body: form,
  });
  expect(response.status).toBe(200);
}

const HELLO = 'Hello, Alice here';
const received = (text: string): Pick<RecordedCase, 'requestedSync' | 'effect'> => ({
  requestedSync: 'MESSAGES',
  effect: {
    notices: ['ACTIVE', `AGENT: ${text}`],
    control: 'HUMAN',
    handoff: 'ACTIVE Alice',
    messages: [WAIT, `AGENT Alice "${text}"`],
  },
});
const WAIT = 'SYSTEM "A colleague will be with you shortly."';

/** Agents' messages and their effects. */
export const agentWords: readonly RecordedCase[] = [
  ...['message_created.agent_reply.inbox', 'message_created.agent_reply.account'].map(
    (file): RecordedCase => ({
      file,
      effectName: `forwards "${HELLO}" once`,
      given: [handOver, collectAll],
      act: [replies(46, HELLO)],
      ...received(HELLO),
    }),
  ),
  {
    file: 'agent_bot.message_created.agent_reply',
    effectName: "requests a sync as an inbox's webhook does",
    given: [handOver, collectAll],
    act: [replies(87, 'alice speaking')],
    ...received('alice speaking'),
  },
  {
    file: 'message_created.agent_attachment.inbox',
    effectName: 'forwards a file without text once',
    given: [handOver, collectAll],
    act: [
      async scene => {
        scene.next(26);
        await scene.alice.attach({ filename: 'a.pdf', bytes: '%PDF-1.4\n', contentType: 'application/pdf' });
      },
    ],
    requestedSync: 'MESSAGES',
    effect: {
      notices: ['ACTIVE', 'AGENT: '],
      control: 'HUMAN',
      handoff: 'ACTIVE Alice',
      messages: [WAIT, 'AGENT Alice "" a.pdf'],
    },
  },
  ...(
    [
      ['message_created.url_basic_auth.inbox', 140, 'reply while has basic auth in the URL'],
      ['message_created.url_query_key.inbox', 141, 'reply while has a query string'],
    ] as const
  ).map(
    ([file, id, text]): RecordedCase => ({
      file,
      effectName: 'is a takeover when the bot has the conversation',
      given: [begin, collectAll],
      act: [replies(id, text)],
      requestedSync: 'MESSAGES',
      effect: {
        notices: ['ACTIVE', `AGENT: ${text}`],
        control: 'HUMAN',
        handoff: 'ACTIVE Alice',
        messages: [`AGENT Alice "${text}"`],
        view: 'OPEN, agent 4',
        status: 'open',
      },
    }),
  ),
  ...['message_updated.deleted.inbox', 'message_updated.deleted.account'].map(
    (file): RecordedCase => ({
      file,
      effectName: 'marks the message as deleted, and notifies the runtime once',
      given: [handOver, replies(46, HELLO), collectAll],
      act: [scene => scene.alice.deleteMessage(46)],
      requestedSync: 'MESSAGES',
      effect: { notices: ['MESSAGE_DELETED'], messages: [WAIT, `AGENT Alice "${HELLO}" taken back`] },
    }),
  ),
  {
    file: 'message_updated.status_delivered.inbox',
    effectName: 'of a forwarded message requests no sync',
    given: [handOver, replies(46, HELLO), collectAll],
    act: [scene => scene.report(46, 'DELIVERED')],
    requestedSync: null,
  },
  {
    file: 'message_updated.status_delivered.inbox',
    effectName: 'of a message whose own webhook was lost replaces it',
    given: [handOver, collectAll],
    act: [replies(46, HELLO)],
    ...received(HELLO),
  },
  {
    file: 'message_updated.status_failed.inbox',
    effectName: 'keeps the failure that the runtime reported',
    given: [handOver, replies(46, HELLO), collectAll],
    act: [scene => scene.report(46, 'FAILED', 'end user is gone')],
    requestedSync: 'MESSAGES',
  },
  {
    file: 'message_updated.delivery_failed.account',
    effectName: 'forwards a message that failed while this service was down, and removes the mark',
    given: [handOver, collectAll],
    act: [
      async scene => {
        scene.world.double.clearWebhookShaping();
        scene.world.setDown(true);
        await replies(127, 'reply while answers 500')(scene);
        await scene.world.double.whenIdle();
        scene.world.setDown(false);
        scene.world.double.dropWebhooks();
      },
    ],
    ...received('reply while answers 500'),
    effect: { ...received('reply while answers 500').effect, failed: [] },
  },
  {
    file: 'message_created.private_note.inbox',
    effectName: 'keeps a note among agents',
    outcome: 'ignored',
    given: [handOver, collectAll],
    act: [
      async scene => {
        scene.next(7);
        await scene.act('/messages', { content: 'Transcript so far: …', message_type: 'outgoing', private: true });
      },
    ],
    requestedSync: null,
  },
  {
    file: 'message_updated.status_read.inbox',
    effectName: 'reports that a note was read, and requests no sync',
    outcome: 'ignored',
    given: [handOver, collectAll],
    act: [
      async scene => {
        scene.next(107);
        await scene.by(ALICE).note('private');
      },
    ],
    requestedSync: null,
  },
];

const VISITORS: readonly (readonly [string, string, readonly ((scene: RecordedScene) => Promise<unknown>)[]])[] = [
  ...['message_created.incoming.inbox', 'message_created.incoming.account'].map(
    file =>
      [
        file,
        'not ours',
        [
          visitorSays(4, 'Hi, I am the visitor', {
            source_id: 'ext-kmxmek-1',
            content_attributes: { external_ref: 'abc' },
          }),
        ],
      ] as const,
  ),
  ['message_created.attachments.inbox', 'with files', [visitorSendsFiles]],
  [
    'message_created.in_reply_to.inbox',
    'in reply to other messages',
    [
      visitorSays(4, 'Hi', { source_id: 'ext-kmxmek-1' }),
      visitorSays(11, 'answering you', { content_attributes: { in_reply_to: 4 } }),
    ],
  ],
  ['agent_bot.message_created.incoming', 'sent to the agent bot', [visitorSays(83, 'hello bot')]],
];

/** The text was not recorded: the message is suppressed, and agents are notified. */
const withheld: Pick<RecordedCase, 'requestedSync' | 'effect'> = {
  requestedSync: 'MESSAGES',
  effect: { messages: ['SYSTEM ""'] },
};

/** Messages that only this service should post. They lack our mark, so a sync reads them, and none is forwarded. */
export const otherWords: readonly RecordedCase[] = [
  ...VISITORS.map(
    ([file, which, act]): RecordedCase => ({
      file,
      effectName: `does not forward a visitor's message ${which}`,
      given: [begin, collectAll],
      act,
      requestedSync: 'MESSAGES',
    }),
  ),
  {
    file: 'message_created.outgoing.bridge_user.inbox',
    effectName: 'does not forward a message of BotAgent1',
    given: [begin, collectAll],
    act: [
      async scene => {
        scene.next(6);
        await scene.act('/messages', { content: 'I am the bot' });
      },
    ],
    ...withheld,
  },
  {
    file: 'message_created.input_select.inbox',
    effectName: 'does not forward choices of BotAgent1',
    given: [begin, collectAll],
    act: [
      async scene => {
        scene.next(17);
        await scene.act('/messages', {
          content: 'pick',
          content_type: 'input_select',
          content_attributes: {
            items: [
              { title: 'A', value: 'a' },
              { title: 'B', value: 'b' },
            ],
          },
        });
      },
    ],
    ...withheld,
  },
  ...(
    [
      ['message_created.outgoing.agent_bot.inbox', 23, 'as agent bot'],
      ['agent_bot.message_created.outgoing_own', 84, 'beep'],
    ] as const
  ).map(
    ([file, id, content]): RecordedCase => ({
      file,
      effectName: 'does not count the agent bot as an agent',
      given: [begin, collectAll],
      act: [
        async scene => {
          scene.next(id);
          await scene.act('/messages', { content }, scene.agentBotToken);
        },
      ],
      ...withheld,
    }),
  ),
  ...(
    [
      ['message_created.greeting.inbox', 447, 'Welcome to us!'],
      ['message_created.out_of_office.inbox', 449, 'We are closed'],
    ] as const
  ).map(
    ([file, id, text]): RecordedCase => ({
      file,
      effectName: `"${text}" is forwarded once, as the policy says`,
      policy: { automaticReplies: 'FORWARD' },
      given: [
        scene =>
          scene.setInbox(
            file.includes('greeting')
              ? { greeting_enabled: true, greeting_message: text }
              : {
                  working_hours_enabled: true,
                  out_of_office_message: text,
                  working_hours: Array.from({ length: 7 }, (_, day) => ({ day_of_week: day, closed_all_day: true })),
                },
          ),
      ],
      // The message before it is the end-user's.
      act: [
        async scene => {
          scene.next(id - 1);
          await scene.begin();
        },
      ],
      requestedSync: 'MESSAGES',
      effect: { notices: [`SYSTEM: ${text}`], messages: [`SYSTEM "${text}"`] },
    }),
  ),
  {
    file: 'message_created.greeting.inbox',
    effectName: 'is suppressed by default',
    given: [scene => scene.setInbox({ greeting_enabled: true, greeting_message: 'Welcome to us!' })],
    act: [
      async scene => {
        scene.next(446);
        await scene.begin();
      },
    ],
    ...withheld,
  },
];
