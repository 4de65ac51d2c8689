import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';
import { finishEndings } from '../../../core/flows/handoff/finish-endings';
import { runFullScan } from '../../../core/flows/from-provider/full-scan';
import { parseContent } from '../parse-content';
import type { WireMessage } from '../wire';

const scope = { organizationId: ORG };
let world: ChatwootWorld;

const agentMessage = async (sessionId: string) => {
  const notices = (await world.inboxOf(sessionId)).map(({ notice }) => notice);
  const ids = notices.flatMap(notice => (notice.kind === 'MESSAGE' ? [notice.messageId] : []));
  return (await world.stores.messages.getMany(ORG, ids)).filter(message => message?.author === 'AGENT').at(-1)!;
};

describe('a message', () => {
  let sessionId: string;
  let alice: number;
  beforeEach(async () => {
    world = await createChatwootWorld();
    alice = await world.addPerson('Alice');
    sessionId = await world.handedOver();
    await (await world.acting(alice, sessionId)).reply('hello Eve');
    await world.runDueSyncs();
  });
  afterEach(() => world.close());
  const report = async (state: 'DELIVERED' | 'READ' | 'FAILED', key: string) =>
    world.flows.reportChannelDelivery(scope, {
      sessionId,
      messageId: (await agentMessage(sessionId)).id,
      state,
      error: state === 'FAILED' ? 'end-user is gone' : null,
      idempotencyKey: key,
    });
  const shown = async () => (await world.messages(sessionId)).find(({ content }) => content === 'hello Eve');

  it("on the end-user's channel is reported to the agents, each state once and never back", async () => {
    await report('DELIVERED', 'a');
    await world.deliverAll();
    expect((await shown()).status).toBe('delivered');
    await report('READ', 'b');
    await report('DELIVERED', 'late');
    expect(await world.callsOf(() => world.deliverAll())).toEqual(['PATCH /conversations/messages']);
    expect((await shown()).status).toBe('read');
    expect((await agentMessage(sessionId)).channelState).toBe('READ');
  });

  it('that failed on the channel stays marked as failed with the reason, whatever is synced later', async () => {
    await report('FAILED', 'a');
    await world.deliverAll();
    await world.runDueSyncs();
    await world.read(sessionId);
    expect(await shown()).toMatchObject({
      status: 'failed',
      content_attributes: { external_error: 'end-user is gone' },
    });
  });

  it('that the agent deletes much later is reported once', async () => {
    const { id } = await shown();
    await world.pool.query("update session set sync_cursor = '999999'");
    await (await world.acting(alice, sessionId)).deleteMessage(id);
    for (let round = 0; round < 2; round++) {
      await world.runDueSyncs();
      await world.read(sessionId);
    }
    expect((await world.collected(sessionId)).filter(line => line === 'MESSAGE_DELETED')).toHaveLength(1);
    expect(await agentMessage(sessionId)).toMatchObject({ text: 'hello Eve', deletedAt: expect.any(String) });
    expect(await world.session(sessionId)).toMatchObject({ recheckIds: [] });
  });

  it('of bot or end-user that an agent deletes is reported once as well, but not one that the bot deleted itself', async () => {
    const said = await world.user(sessionId, 'my card is 4111');
    await world.deliverAll();
    await world.runDueSyncs();
    const acting = await world.acting(alice, sessionId);
    const rows = await world.messages(sessionId);
    for (const text of ['hello', 'my card is 4111'])
      await acting.deleteMessage(rows.find(({ content }) => content === text).id);
    const taken = await world.user(sessionId, 'oops');
    await world.deliverAll();
    await world.flows.deleteMessage(scope, {
      sessionId,
      messageId: taken.message.id,
      callerMessageId: null,
      epoch: null,
      idempotencyKey: 'back',
    });
    await world.deliverAll();
    for (let round = 0; round < 2; round++) {
      await world.runDueSyncs();
      await world.read(sessionId);
    }
    expect((await world.collected(sessionId)).filter(line => line === 'MESSAGE_DELETED')).toHaveLength(2);
    expect(await world.stores.messages.get(ORG, said.message.id)).toMatchObject({ deletedAt: expect.any(String) });
  });

  it('is answered by the end-user, and answers the end-user, by its number', async () => {
    const { id } = await shown();
    const { message } = await world.user(sessionId, 'I mean this one', { replyTo: (await agentMessage(sessionId)).id });
    await world.deliverAll();
    const mine = (await world.messages(sessionId)).find(({ content }) => content === 'I mean this one');
    expect(mine.content_attributes.in_reply_to).toBe(id);
    await (await world.acting(alice, sessionId)).reply('and I this', { content_attributes: { in_reply_to: mine.id } });
    await world.runDueSyncs();
    expect(await agentMessage(sessionId)).toMatchObject({ text: 'and I this', replyToMessageId: message.id });
  });
});

describe('one message in each direction', () => {
  beforeEach(async () => {
    world = await createChatwootWorld();
  });
  afterEach(() => world.close());

  it('takes one call, and the state is still synced as often as on the timer', async () => {
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    await world.runDueSyncs();
    expect(
      await world.callsOf(async () => {
        await world.user(sessionId, 'one');
        await world.deliverAll();
        await world.runDueSyncs();
      }),
    ).toEqual(['POST /conversations/messages']);
    const acting = await world.acting(alice, sessionId);
    expect(
      await world.callsOf(async () => {
        await acting.reply('two');
        await world.runDueSyncs();
      }),
    ).toEqual(['GET /conversations/messages']);
    expect(await world.collected(sessionId)).toContain('AGENT: two');
    world.time.aheadMs += 61_000;
    expect(
      await world.callsOf(async () => {
        await acting.reply('three');
        await world.runDueSyncs();
      }),
    ).toEqual(['GET /conversations', 'GET /conversations/messages']);
  });

  it('of a handoff of an existing session takes three: note, team, open', async () => {
    const team = await world.addTeam('orders');
    await world.flows.refreshDirectory(scope, world.account.id);
    const sessionId = await world.openMirroredSession();
    expect(
      await world.callsOf(async () => {
        await world.ask(sessionId, { reason: 'asked', target: { team: String(team.id), agent: null } });
        expect(await world.deliverAll()).toEqual([]);
      }),
    ).toEqual(['POST /conversations/messages', 'POST /conversations/assignments', 'POST /conversations/toggle_status']);
  });
});

const look = async () => {
  await world.stores.scans.requestFullScans();
  return runFullScan(world.deps, new AbortController().signal);
};

describe('after our own outage', () => {
  beforeEach(async () => {
    world = await createChatwootWorld();
  });
  afterEach(() => world.close());

  it('a takeover, a deletion and a red mark whose webhooks were lost are found, among many that did not change', async () => {
    const alice = await world.addPerson('Alice');
    const sessions: string[] = [];
    for (let n = 0; n < 30; n++) sessions.push(await world.openMirroredSession(`hello ${n}`));
    const live = await world.handedOver();
    const acting = await world.acting(alice, live);
    const kept = await acting.reply('a wrong price');
    await world.runDueSyncs();
    await look();
    await world.runDueSyncs();
    await world.pool.query('update session set sync_cursor = $2 where id = $1', [live, String(kept)]);

    world.setDown(true);
    await (await world.acting(alice, sessions[7]!)).reply('I take this');
    await acting.deleteMessage(kept);
    await world.double.whenIdle();
    expect((await world.messages(sessions[7]!)).at(-1).status).toBe('failed');
    world.setDown(false);

    expect(await look()).toMatchObject({ requestedSyncs: expect.any(Number), complete: true });
    await world.runDueSyncs();
    expect(await world.session(sessions[7]!)).toMatchObject({ control: 'HUMAN' });
    expect(await world.liveHandoff(sessions[7]!)).toMatchObject({ origin: 'AGENT_TAKEOVER', state: 'ACTIVE' });
    expect((await world.messages(sessions[7]!)).at(-1).status).toBe('delivered');
    expect(await world.collected(live)).toContain('MESSAGE_DELETED');
    expect(await world.session(sessions[8]!)).toMatchObject({ control: 'BOT' });
  });

  it('failed marks on messages of end-users, the bot and on notes are removed, each checked once', async () => {
    const alice = await world.addPerson('Alice');
    const sessionId = await world.openMirroredSession();
    await world.runDueSyncs();
    await look();
    await world.runDueSyncs();
    world.setDown(true);
    await world.bot(sessionId, 'one moment');
    await world.ask(sessionId, { reason: 'asked' });
    await world.user(sessionId, 'anybody?');
    expect(await world.deliverAll()).toEqual([]);
    await (await world.acting(alice, sessionId)).note('he is waiting');
    await world.double.whenIdle();
    const marks = async () => (await world.messages(sessionId)).slice(1).map(({ status }) => status);
    expect(new Set(await marks())).toEqual(new Set(['failed']));
    // While webhooks do not reach this service, the timer's sync does not remove the mark, because it would come back.
    await world.pool.query('update session set sync_hint = null');
    expect(await world.callsOf(() => world.read(sessionId))).toEqual([
      'GET /conversations',
      'GET /conversations/messages',
    ]);
    world.setDown(false);

    await look();
    await world.runDueSyncs();
    expect(await marks()).toEqual((await marks()).map(() => 'delivered'));
    expect(await marks()).toHaveLength(4);
    await look();
    expect(await world.callsOf(() => world.runDueSyncs())).not.toContain('PATCH /conversations/messages');
  });

  it('one that the runtime reported as failed stays so, of the bot too', async () => {
    const sessionId = await world.openMirroredSession();
    const { message } = await world.bot(sessionId, 'one moment');
    await world.deliverAll();
    await world.runDueSyncs();
    await world.flows.reportChannelDelivery(scope, {
      sessionId,
      messageId: message.id,
      state: 'FAILED',
      error: 'gone',
      idempotencyKey: 'k',
    });
    world.setDown(true);
    await world.act(sessionId, 'PATCH', `/messages/${(await world.messages(sessionId)).at(-1).id}`, {
      status: 'failed',
      external_error: 'gone',
    });
    await world.double.whenIdle();
    world.setDown(false);
    await look();
    await world.runDueSyncs();
    expect((await world.messages(sessionId)).at(-1)).toMatchObject({ content: 'one moment', status: 'failed' });
  });

  it('each full scan goes back to the last one, is bounded in calls, and belongs to one replica', async () => {
    for (let n = 0; n < 30; n++) await world.openMirroredSession(`hello ${n}`);
    expect(await world.callsOf(look)).toEqual(['GET /conversations']);
    await world.pool.query("update account_scan set full_scanned_at = now() + interval '1 hour'");
    world.time.aheadMs += 3_600_000;
    expect(await world.callsOf(look)).toEqual(['GET /conversations', 'GET /api/v1/profile']);
    expect(await runFullScan(world.deps, new AbortController().signal)).toBeNull();
  });

  it('all changed conversations are in one response, however many', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 30; n++) ids.push(await world.openMirroredSession(`hello ${n}`));
    let found: Awaited<ReturnType<typeof look>> = null;
    expect(
      await world.callsOf(async () => {
        found = await look();
      }),
    ).toEqual(['GET /conversations']);
    expect(found).toMatchObject({ complete: true, requestedSyncs: 30 });
    for (const id of [ids[0]!, ids[29]!]) expect(await world.session(id)).toMatchObject({ syncHint: 'ALL' });
  });
});

describe.each(['3.16', '4.10', '4.14'] as const)('a survey of Chatwoot %s', version => {
  beforeEach(async () => {
    world = await createChatwootWorld({ version });
  });
  afterEach(() => world.close());

  /** Alice resolves, and Chatwoot sends the survey. `onPage` submits an answer on Chatwoot's own page. */
  async function asked() {
    await world.farSide.call('PATCH', `${world.accountPath}/inboxes/${world.inbox.externalId}`, world.admin, {
      csat_survey_enabled: true,
    });
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    const { handoff } = await world.ask(sessionId);
    await (await world.acting(alice, sessionId)).resolve();
    await world.runDueSyncs();
    const { uuid } = await world.conversation(sessionId);
    const onPage = (values: object) =>
      world.farSide.call('PUT', `/public/api/v1/csat_survey/${uuid}`, '', {
        message: { submitted_values: { csat_survey_response: values } },
      });
    return { sessionId, handoff, onPage };
  }

  it('reaches the runtime after the last reply; the answer is submitted and shows on the handoff', async () => {
    await world.farSide.call('PATCH', `${world.accountPath}/inboxes/${world.inbox.externalId}`, world.admin, {
      csat_survey_enabled: true,
    });
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    const { handoff } = await world.ask(sessionId);
    const acting = await world.acting(alice, sessionId);
    await acting.reply('Goodbye');
    await acting.resolve();
    await world.runDueSyncs();
    const collected = await world.collected(sessionId);
    expect(collected.slice(collected.indexOf('AGENT: Goodbye'))).toEqual(['AGENT: Goodbye', 'SURVEY']);
    const { survey } = await world.handoff(handoff.id);
    const { uuid } = await world.conversation(sessionId);
    expect(survey).toMatchObject({
      url: `${world.double.baseUrl}/survey/responses/${uuid}`,
      answer: null,
      question: expect.any(String),
    });
    expect(survey!.choices.map(({ rating }) => rating)).toEqual([1, 2, 3, 4, 5]);

    const answer = { handoffId: handoff.id, rating: 4, comment: 'quick', idempotencyKey: 'survey' };
    await expect(
      world.flows.answerSurvey(scope, { ...answer, rating: 6, idempotencyKey: 'six' }),
    ).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await world.flows.answerSurvey(scope, answer);
    expect(await world.deliverAll()).toEqual([]);
    await world.runDueSyncs();
    const [response] = await world.farSide.get(`${world.accountPath}/csat_survey_responses`, world.admin);
    expect(response).toMatchObject({ rating: 4, feedback_message: 'quick' });
    expect((await world.handoff(handoff.id)).survey).toMatchObject({ answer: { rating: 4, comment: 'quick' } });
    expect((await world.collected(sessionId)).filter(line => line === 'SURVEY')).toHaveLength(1);
  });

  it('that the end-user answers on its own page shows on the handoff too', async () => {
    const { sessionId, handoff, onPage } = await asked();
    const answered = async () => (await world.handoff(handoff.id)).survey;
    // The page sends the rating when it is chosen, and both when the comment is submitted.
    await onPage({ rating: 1 });
    await world.runDueSyncs();
    expect(await answered()).toMatchObject({ answer: { rating: 1, comment: null } });
    await onPage({ rating: 1, feedback_message: 'slow' });
    await world.runDueSyncs();
    expect(await answered()).toMatchObject({ answer: { rating: 1, comment: 'slow' } });
    const events = await world.pool.query("select from event where type = 'SURVEY_ANSWERED'");
    await world.read(sessionId);
    expect((await world.pool.query("select from event where type = 'SURVEY_ANSWERED'")).rowCount).toBe(events.rowCount);
  });

  it('whose comment comes while we are away is found', async () => {
    const { handoff, onPage } = await asked();
    await onPage({ rating: 2 });
    await world.runDueSyncs();
    world.setDown(true);
    await onPage({ rating: 2, feedback_message: 'too slow' });
    await world.double.whenIdle();
    world.setDown(false);
    await look();
    await world.runDueSyncs();
    expect((await world.handoff(handoff.id)).survey).toMatchObject({ answer: { rating: 2, comment: 'too slow' } });
  });

  it('that is answered while we are away is found, whatever was said and handed over since', async () => {
    const { sessionId, handoff, onPage } = await asked();
    const { url } = (await world.handoff(handoff.id)).survey!;
    await world.acknowledgeAll(sessionId);
    await finishEndings(world.deps, 1, (_, error) => {
      throw error;
    });
    const { handoff: later } = await world.ask(sessionId);
    expect(later.id).not.toBe(handoff.id);
    await world.deliverAll();
    await world.runDueSyncs();

    world.setDown(true);
    await onPage({ rating: 2, feedback_message: 'slow' });
    await world.user(sessionId, 'one more thing');
    await world.deliverAll();
    await world.double.whenIdle();
    await world.pool.query("update session set sync_cursor = '999999'");
    world.setDown(false);
    await look();
    await world.runDueSyncs();
    expect((await world.handoff(handoff.id)).survey).toMatchObject({ url, answer: { rating: 2, comment: 'slow' } });
    expect((await world.handoff(later.id)).survey).toBeNull();
  });

  it('of a handoff without one is refused with an error that says so', async () => {
    const sessionId = await world.handedOver();
    const { handoff } = await world.ask(sessionId);
    await expect(
      world.flows.answerSurvey(scope, { handoffId: handoff.id, rating: 4, comment: null, idempotencyKey: 'k' }),
    ).rejects.toMatchObject({ code: 'NO_SURVEY' });
  });
});

/** The rows of docs/message-kinds.md that come from agents. Each has its case here, and each case has its row. */
describe('messages from agents', () => {
  const wire = (more: Partial<WireMessage>): WireMessage => ({
    id: 1,
    message_type: 1,
    created_at: 1,
    private: false,
    content: null,
    ...more,
  });
  const file = (file_type: string, more: object = {}) =>
    wire({
      attachments: [{ file_type, data_url: `https://chatwoot.example/rails/x/a.${file_type}`, file_size: 3, ...more }],
    });
  const link = (name: string) => [expect.objectContaining({ url: expect.stringContaining('/rails/x/'), name })];
  const CASES: Readonly<
    Record<
      string,
      readonly [WireMessage, { text: string; content?: unknown; attachments?: unknown; omittedContent?: string | null }]
    >
  > = {
    text: [wire({ content: '**bold**' }), { text: '**bold**' }],
    image: [file('image'), { text: '', attachments: link('a.image') }],
    audio: [file('audio'), { text: '', attachments: link('a.audio') }],
    video: [file('video'), { text: '', attachments: link('a.video') }],
    file: [file('file'), { text: '', attachments: link('a.file') }],
    'several files': [
      wire({ content: 'two', attachments: [...file('image').attachments!, ...file('file').attachments!] }),
      { text: 'two', attachments: [expect.anything(), expect.anything()] },
    ],
    sticker: [
      wire({ content_type: 'sticker', attachments: file('image').attachments }),
      { text: '', attachments: link('a.image') },
    ],
    location: [
      wire({
        attachments: [
          { file_type: 'location', coordinates_lat: 48.2, coordinates_long: 16.4, fallback_title: 'Office' },
        ],
      }),
      {
        text: 'Office: https://www.openstreetmap.org/?mlat=48.2&mlon=16.4',
        content: { kind: 'LOCATION', caption: '', latitude: 48.2, longitude: 16.4, title: 'Office', address: null },
      },
    ],
    'contact card': [
      wire({ attachments: [{ file_type: 'contact', fallback_title: '+15550100499' }] }),
      {
        text: 'Contact: +15550100499',
        content: {
          kind: 'CONTACT_CARD',
          caption: '',
          name: '+15550100499',
          organization: null,
          phones: [],
          emails: [],
        },
      },
    ],
    'shared link': [
      wire({ attachments: [{ file_type: 'fallback', fallback_title: 'A page', data_url: 'https://a.example' }] }),
      { text: 'A page: https://a.example' },
    ],
    choices: [
      wire({
        content: 'Which?',
        content_type: 'input_select',
        content_attributes: {
          items: [
            { title: 'Red', value: 'r' },
            { title: 'Blue', value: 'b' },
          ],
        },
      }),
      {
        text: 'Which?\n1. Red\n2. Blue',
        content: {
          kind: 'CHOICES',
          caption: 'Which?',
          style: 'BUTTONS',
          items: [
            { title: 'Red', value: 'r' },
            { title: 'Blue', value: 'b' },
          ],
        },
      },
    ],
    cards: [
      wire({
        content_type: 'cards',
        content_attributes: {
          items: [
            {
              title: 'Shoe',
              description: 'Fast',
              media_url: 'https://a.example/s.png',
              actions: [
                { type: 'link', text: 'Buy', uri: 'https://a.example' },
                { type: 'postback', text: 'More', payload: 'MORE' },
              ],
            },
          ],
        },
      }),
      {
        text: 'Shoe\nFast\nhttps://a.example/s.png\n- Buy: https://a.example\n- More (MORE)',
        content: {
          kind: 'CARDS',
          caption: '',
          cards: [
            {
              title: 'Shoe',
              description: 'Fast',
              pictureUrl: 'https://a.example/s.png',
              actions: [
                { title: 'Buy', url: 'https://a.example', value: null },
                { title: 'More', url: null, value: 'MORE' },
              ],
            },
          ],
        },
      },
    ],
    form: [
      wire({
        content: 'Please fill in',
        content_type: 'form',
        content_attributes: {
          items: [
            { name: 'email', label: 'E-mail' },
            {
              name: 'size',
              label: 'Size',
              options: [
                { label: 'S', value: 's' },
                { label: 'L', value: 'l' },
              ],
            },
          ],
        },
      }),
      {
        text: 'Please fill in\nE-mail: …\nSize: S / L',
        content: {
          kind: 'FORM',
          caption: 'Please fill in',
          fields: [
            { name: 'email', label: 'E-mail', type: 'TEXT', isRequired: false, placeholder: null, options: [] },
            {
              name: 'size',
              label: 'Size',
              type: 'SELECT',
              isRequired: false,
              placeholder: null,
              options: [
                { title: 'S', value: 's' },
                { title: 'L', value: 'l' },
              ],
            },
          ],
        },
      },
    ],
    article: [
      wire({
        content: 'See',
        content_type: 'article',
        content_attributes: {
          items: [{ title: 'Returns', description: 'How to', link: 'https://help.example/returns' }],
        },
      }),
      { text: 'See\nReturns\nHow to\nhttps://help.example/returns' },
    ],
    'call or integration': [
      wire({ content_type: 'integrations' }),
      { text: '', omittedContent: expect.stringContaining('call') },
    ],
    'unknown attachment': [
      wire({ content: 'look', attachments: [{ file_type: 'hologram' }] }),
      { text: 'look', omittedContent: expect.stringContaining('hologram') },
    ],
    'empty message': [wire({ content: '' }), { text: '', omittedContent: null }],
  };

  it.each(Object.entries(CASES))('%s', (_kind, [message, expected]) => {
    expect(parseContent(message)).toEqual({ content: null, attachments: [], omittedContent: null, ...expected });
  });

  it('are all in the published table, and nothing else is', () => {
    const page = readFileSync(path.join(__dirname, '../../../../docs/message-kinds.md'), 'utf8');
    const section = page.split('## From agents to end-users')[1]!.split('| what else')[0]!;
    expect(
      [...section.matchAll(/^\| ([^|]+) \| (?:native|rendered|refused)/gm)].map(row => row[1]!.trim()).sort(),
    ).toEqual(Object.keys(CASES).sort());
  });

  it('several kinds in one message are plain text: none of them is lost, and none replaces the others', () => {
    const [location, choices] = [CASES['location']![0], CASES['choices']![0]];
    expect(
      parseContent({ ...choices, attachments: [...location.attachments!, ...file('image').attachments!] }),
    ).toEqual({
      text: 'Which?\n1. Red\n2. Blue\nOffice: https://www.openstreetmap.org/?mlat=48.2&mlon=16.4',
      content: null,
      attachments: link('a.image'),
      omittedContent: null,
    });
  });

  it('reach the runtime as structured content, with their plain text', async () => {
    world = await createChatwootWorld();
    try {
      const alice = await world.addPerson('Alice');
      const sessionId = await world.handedOver();
      await (await world.acting(alice, sessionId)).reply('Which?', {
        content_type: 'input_select',
        content_attributes: { items: [{ title: 'Red', value: 'r' }] },
      });
      await world.runDueSyncs();
      expect(await agentMessage(sessionId)).toMatchObject({
        text: 'Which?\n1. Red',
        content: { kind: 'CHOICES', caption: 'Which?', items: [{ title: 'Red', value: 'r' }] },
      });
    } finally {
      await world.close();
    }
  });

  it('an unsupported part is reported to the agent in one note, and the rest is forwarded', async () => {
    world = await createChatwootWorld();
    try {
      const alice = await world.addPerson('Alice');
      const sessionId = await world.handedOver();
      await (await world.acting(alice, sessionId)).reply('');
      for (let round = 0; round < 3; round++) {
        await world.read(sessionId);
        await world.deliverAll();
      }
      expect((await world.messages(sessionId)).filter(({ private: isNote }) => isNote)).toEqual([
        expect.objectContaining({ content: expect.stringContaining('not shown') }),
      ]);
    } finally {
      await world.close();
    }
  });
});
