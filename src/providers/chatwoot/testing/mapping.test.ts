import { toObservation } from '../mapping';
import type { WireMessage } from '../wire';
import { decemberRecordings, firstRecordings, type RestRecording, type WebhookRecording } from './recording-files';

/** In the recordings, user 3 is the bridge and user 4 is Alice. */
const BRIDGE = 3;

/** Returns every message in the recorded responses of the account API, once. */
function recordedMessages(): [string, WireMessage][] {
  const found = new Map<string, WireMessage>();
  for (const { file, response } of firstRecordings<RestRecording>('rest')) {
    if (!/^messages\.|^outage.*messages/.test(file) || response.status !== 200) continue;
    const { payload } = response.body as { payload?: WireMessage[] };
    for (const message of payload ?? [response.body as WireMessage]) found.set(`${file} #${message.id}`, message);
  }
  return [...found];
}

const kindOf = (message: WireMessage) => {
  const observation = toObservation(message, BRIDGE);
  return observation.kind === 'agentMessage'
    ? `${observation.agent.name} says ${JSON.stringify(observation.text)}`
    : observation.kind;
};

const said: WireMessage = {
  id: 70,
  content: 'Hello',
  message_type: 1,
  private: false,
  created_at: 1795380740,
  source_id: null,
  content_attributes: {},
  sender: { id: 4, name: 'Alice Agent', available_name: 'Alice A.', type: 'user' },
};

describe('messages as recorded', () => {
  const all = recordedMessages();

  it('are many', () => {
    expect(all.length).toBeGreaterThan(60);
  });

  it('reach the end-user only when a person wrote them in public', () => {
    const outward = all
      .filter(([, message]) => toObservation(message, BRIDGE).kind === 'agentMessage')
      .map(([name, message]) => [name.split(' ')[0], kindOf(message)]);
    const ALICE = 'Alice A. says "Hello, Alice here"';
    expect(outward).toEqual([
      ['messages.create.agent_attachment.200', 'Alice A. says ""'],
      ['messages.create.agent_reply.200', ALICE],
      ['messages.list.before.200', 'Alice A. says ""'],
      ['messages.retry.200', ALICE],
      ['messages.update.bad_status.200', ALICE],
      ['messages.update.content.200', ALICE],
      ['messages.update.delivered.200', ALICE],
      ['messages.update.failed.200', ALICE],
    ]);
  });

  it.each(all.filter(([, message]) => message.private === true))('is a note: %s', (_name, message) => {
    expect(toObservation(message, BRIDGE)).toMatchObject({ kind: 'note', agent: null });
  });

  it.each(all.filter(([, message]) => message.message_type === 2))('is ignored: %s', (_name, message) => {
    expect(toObservation(message, BRIDGE).kind).toBe('ignored');
  });

  it.each(all.filter(([, message]) => message.message_type === 3))(
    "is the support system's own line: %s",
    (_name, message) => {
      expect(toObservation(message, BRIDGE)).toMatchObject({
        kind: 'automaticReply',
        source: { kind: 'PROVIDER', id: null },
      });
    },
  );

  it("include an agent's file with address, name, type and size", () => {
    const [, message] = all.find(([name]) => name.startsWith('messages.create.agent_attachment')) as [
      string,
      WireMessage,
    ];
    expect(toObservation(message, BRIDGE)).toMatchObject({
      attachments: [
        { url: message.attachments?.[0]?.data_url, name: 'a.pdf', contentType: 'application/pdf', sizeBytes: 10 },
      ],
    });
  });
});

describe('one recorded message', () => {
  it("of a person, in public, is for the end-user, under the person's display name", () => {
    expect(toObservation(said, BRIDGE)).toEqual({
      kind: 'agentMessage',
      id: '70',
      agent: { externalId: '4', name: 'Alice A.' },
      text: 'Hello',
      attachments: [],
      at: '2026-11-22T20:52:20.000Z',
    });
  });

  it.each<[string, Partial<WireMessage>, string]>([
    ['private', { private: true }, 'note'],
    ['without a word on its visibility', { private: undefined }, 'ignored'],
    ['of the bridge itself', { sender: { id: BRIDGE, type: 'user' } }, 'automaticReply'],
    ['of an agent bot', { sender: { id: 4, type: 'agent_bot' } }, 'automaticReply'],
    ['of an assistant', { sender: { id: 4, type: 'captain_assistant' } }, 'automaticReply'],
    ['of a sender without a type', { sender: { id: 4, name: 'contact?' } }, 'automaticReply'],
    ['of nobody', { sender: null }, 'automaticReply'],
    ['of nobody, of unknown visibility', { sender: null, private: undefined }, 'ignored'],
    ['incoming', { message_type: 0 }, 'ignored'],
    ['of a type to come', { message_type: 9 }, 'ignored'],
    ['deleted', { content: 'This message was deleted', content_attributes: { deleted: true } }, 'messageDeleted'],
    ['empty', { content: null }, 'unsupported'],
    ['a survey', { message_type: 3, sender: null, content_type: 'input_csat' }, 'survey'],
    ['with our mark', { content_attributes: { support_message_id: 'b0e7a2d4-5f5e-4c1b-9a55-3b1c8f0a9d11' } }, 'echo'],
    [
      "with a source_id of the agent's own client",
      { source_id: 'b0e7a2d4-5f5e-4c1b-9a55-3b1c8f0a9d11' },
      'agentMessage',
    ],
  ])('%s', (_what, change, kind) => {
    expect(toObservation({ ...said, ...change }, BRIDGE).kind).toBe(kind);
  });

  it('that asks for a rating links to the page that its text names, whatever our base URL is', () => {
    const page = 'https://help.example.com/survey/responses/6389e501-3f62-4481-97fe-2d385de1bc81';
    const asked = (content: string) =>
      toObservation({ ...said, message_type: 3, sender: null, content_type: 'input_csat', content }, BRIDGE);
    expect(asked(`Please rate this conversation, ${page}`)).toMatchObject({ kind: 'survey', url: page });
    expect(asked('Please rate the conversation')).toMatchObject({ kind: 'survey', url: null });
  });

  it('that is marked as failed says so, also a note and our own post, unless the mark is an echo of ours', () => {
    const kinds: Partial<WireMessage>[] = [
      {},
      { private: true },
      { source_id: 'b0e7a2d4-5f5e-4c1b-9a55-3b1c8f0a9d11', sender: { id: 2, type: 'agent_bot' } },
    ];
    for (const change of kinds) {
      const failed = { ...said, ...change, status: 'failed' };
      expect(
        toObservation({ ...failed, content_attributes: { external_error: '503 Service Unavailable' } }, BRIDGE),
      ).toMatchObject({ isMarkedFailed: true });
      expect(
        toObservation(
          { ...failed, content_attributes: { external_error: "Hostname '127.0.0.1' has no public ip addresses" } },
          BRIDGE,
        ),
      ).not.toHaveProperty('isMarkedFailed');
      expect(toObservation({ ...failed, status: 'sent' }, BRIDGE)).not.toHaveProperty('isMarkedFailed');
    }
  });

  it.each(['b0e7a2d4-5f5e-4c1b-9a55-3b1c8f0a9d11', 'handoff:b0e7a2d4-5f5e-4c1b-9a55-3b1c8f0a9d11'])(
    'of ours with the source_id %s that was deleted is a deletion of the message that we know by its number',
    source_id => {
      const deleted = {
        ...said,
        source_id,
        sender: { id: 2, type: 'agent_bot' },
        content_attributes: { deleted: true },
      };
      expect(toObservation(deleted, BRIDGE)).toEqual({ kind: 'messageDeleted', id: '70' });
    },
  );

  it("of another system's bot is not taken for ours because it has a source_id", () => {
    expect(
      toObservation({ ...said, source_id: 'wamid.HBgL', sender: { id: 2, type: 'agent_bot' } }, BRIDGE),
    ).toMatchObject({ kind: 'automaticReply', source: { kind: 'BOT', id: 'agent_bot2' } });
  });
});

/** The users' ids on the two servers of December. */
const DECEMBER_BRIDGE = 156;

/** The kind of each row that others wrote; the same on both servers. */
const SHAPES: readonly (readonly [RegExp, object])[] = [
  [
    /message_created\.automation_autosend/,
    {
      kind: 'automaticReply',
      source: { kind: 'RULE', id: expect.stringMatching(/^\d+$/) },
      text: 'automatic words Vera',
    },
  ],
  [/message_created\.automation_autoteam/, { kind: 'note', agent: null }],
  [/message_created\.macro/, { kind: 'agentMessage', text: 'macro words' }],
  [
    /message_created\.other_bot/,
    {
      kind: 'automaticReply',
      source: { kind: 'BOT', id: expect.stringMatching(/^agent_bot\d+$/) },
      text: 'from the other bot',
    },
  ],
  [/message_created\.bot_/, { kind: 'automaticReply', source: { kind: 'BOT' } }],
  [
    /message_created\.attachment_/,
    { kind: 'agentMessage', attachments: [expect.objectContaining({ sizeBytes: expect.any(Number) })] },
  ],
  [/message_created\.external_created_at/, { kind: 'ignored' }],
  [/message_updated\.deleted_/, { kind: 'messageDeleted' }],
  [/message_updated\.input_select_answer/, { kind: 'automaticReply' }],
];

describe('rows of December, as the history shows the subject of the webhook', () => {
  const TYPES = ['incoming', 'outgoing', 'activity', 'template'];
  const rows = decemberRecordings<WebhookRecording>('webhooks').filter(({ file }) => / message_/.test(file));

  it.each(rows.map(recording => [recording.file, recording] as const))('%s', (file, { body }) => {
    const { message_type: type, created_at: at, ...row } = JSON.parse(body);
    const message = { ...row, message_type: TYPES.indexOf(type), created_at: Date.parse(at) / 1000 } as WireMessage;
    expect(toObservation(message, DECEMBER_BRIDGE)).toMatchObject({
      id: String(message.id),
      ...SHAPES.find(([pattern]) => pattern.test(file))![1],
    });
  });

  it('of ours are known by their source_id once an agent has retried or deleted them: no other mark remains', () => {
    const ours = 'b0e7a2d4-5f5e-4c1b-9a55-3b1c8f0a9d11';
    for (const name of ['messages.retry.marker.200', 'messages.delete.bot.200']) {
      const seen = decemberRecordings<RestRecording>('rest').filter(({ file }) => file.endsWith(` ${name}`));
      expect(seen).toHaveLength(2);
      for (const { response } of seen) {
        const row = response.body as WireMessage;
        expect(row.source_id).toMatch(/-/);
        expect(Object.keys(row.content_attributes ?? {})).toEqual(name.includes('delete') ? ['deleted'] : []);
        if (name.includes('retry'))
          expect(toObservation({ ...row, source_id: ours }, DECEMBER_BRIDGE)).toEqual({
            kind: 'echo',
            id: String(row.id),
            ourId: ours,
          });
      }
    }
  });
});
