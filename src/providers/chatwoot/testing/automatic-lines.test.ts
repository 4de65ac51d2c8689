import { notifyAgents } from '../../../core/flows/from-provider/receive-change';
import { createChatwootWorld, type ChatwootWorld, type ChatwootWorldOptions } from './chatwoot-world';

/*
 * Promise 13: what agents see as sent reaches the end-user, or agents are notified that it did not, whatever wrote it.
 */

let world: ChatwootWorld;
const open = async (options: ChatwootWorldOptions): Promise<void> => {
  world = await createChatwootWorld(options);
};
afterEach(() => world.close());

const admin = (method: string, path: string, body?: object) =>
  world.farSide.call(method, `${world.accountPath}${path}`, world.admin, body);
const notes = async (id: string): Promise<string[]> =>
  (await world.messages(id))
    .filter(row => row.private && row.sender?.type === 'agent_bot')
    .map(({ content }) => content);
const rule = (actions: readonly object[], conditions: readonly object[]) =>
  admin('POST', '/automation_rules', { name: 'r', event_name: 'message_created', active: true, conditions, actions });
const contains = (text: string) => ({
  attribute_key: 'content',
  filter_operator: 'contains',
  values: [text],
  query_operator: null,
});
const sends = (text: string) => ({ action_name: 'send_message', action_params: [text] });

/** Other authors of public messages, and their names in the note. */
const SHAPES: Readonly<Record<string, { readonly by: string; write(id: string): Promise<unknown> }>> = {
  'an automation rule': {
    by: 'An automation rule',
    async write(id) {
      await rule([sends('words')], [contains('START')]);
      await world.act(id, 'POST', '/messages', { content: 'START', private: true });
    },
  },
  'another agent bot': {
    by: 'A bot other than this chatbot',
    async write(id) {
      const bot = await admin('POST', '/agent_bots', { name: 'Other' });
      await world.act(id, 'POST', '/messages', { content: 'words' }, bot.access_token);
    },
  },
  'our own agent bot, by somebody who has its token': {
    by: 'A bot other than this chatbot',
    write: id =>
      world.act(id, 'POST', '/messages', { content: 'words' }, String(world.account.credentials['agentBotToken'])),
  },
  'BotAgent1, by somebody who has its token': {
    by: 'A bot other than this chatbot',
    write: id => world.act(id, 'POST', '/messages', { content: 'words' }),
  },
  'a template of the inbox': {
    by: 'The support system',
    write: id => world.act(id, 'POST', '/messages', { content: 'words', message_type: 'template' }),
  },
  'a person whose account was deleted before it was read': {
    by: 'Something that is no person',
    async write(id) {
      const zoe = await world.addPerson('Zoe');
      await (await world.acting(zoe, id)).reply('words');
      await admin('DELETE', `/agents/${zoe}`);
    },
  },
};

/** Both orders and both versions, each once. */
const FIRST = { '4.10': 'webhook', '4.14': 'timer' } as const;

describe.each(['4.10', '4.14'] as const)('on Chatwoot %s, a public message of', version => {
  describe.each(Object.entries(SHAPES))('%s', (_what, { by, write }) => {
    const first = FIRST[version];
    it(`is reported to agents once, and takes over nothing, when the ${first} comes first`, async () => {
      await open({ version });
      const id = await world.openMirroredSession();
      if (first === 'timer') world.double.dropWebhooks();
      await write(id);
      await world.double.whenIdle();
      for (let round = 0; round < 2; round++) {
        await (first === 'timer' ? world.read(id) : world.runDueSyncs());
        expect(await world.deliverAll()).toEqual([]);
      }
      await world.read(id);
      expect(await world.deliverAll()).toEqual([]);
      expect(await notes(id)).toEqual([expect.stringContaining(`${by} wrote here, and the end-user did not get it`)]);
      expect(await world.collected(id)).toEqual([]);
      expect(await world.session(id)).toMatchObject({ control: 'BOT', liveHandoffId: null });
    });

    it(`goes out once as SYSTEM where the policy says so, and takes over nothing, when the ${first} comes first`, async () => {
      await open({ version, policy: { automaticReplies: 'FORWARD' } });
      const id = await world.openMirroredSession();
      if (first === 'timer') world.double.dropWebhooks();
      await write(id);
      await world.double.whenIdle();
      for (let round = 0; round < 2; round++) await (first === 'timer' ? world.read(id) : world.runDueSyncs());
      await world.read(id);
      expect(await world.deliverAll()).toEqual([]);
      expect(await world.collected(id)).toEqual(['SYSTEM: words']);
      expect(await notes(id)).toEqual([]);
      expect(await world.session(id)).toMatchObject({ control: 'BOT', liveHandoffId: null });
    });
  });

  it("a macro is the agent's own message: it is forwarded, and takes over", async () => {
    await open({ version });
    const alice = await world.addPerson('Alice');
    const id = await world.openMirroredSession();
    const { payload } = await admin('POST', '/macros', {
      name: 'm',
      actions: [sends('macro words'), { action_name: 'add_private_note', action_params: ['macro note'] }],
    });
    const { access_token: token } = await world.farSide.platform('GET', `/users/${alice}`);
    await world.farSide.call('POST', `${world.accountPath}/macros/${payload.id}/execute`, token, {
      conversation_ids: [Number((await world.session(id)).conversationId)],
    });
    await world.runDueSyncs();
    expect(await world.collected(id)).toEqual(['ACTIVE', 'AGENT: macro words']);
    expect(await world.session(id)).toMatchObject({ control: 'HUMAN' });
    await world.deliverAll();
    expect(await notes(id)).toEqual([]);
  });

  it('a rule that fires on everything, our notes too, gets one note, however often it fires', async () => {
    await open({ version });
    const id = await world.handedOver();
    await rule([sends('seen')], []);
    await world.user(id, 'hello again');
    for (let round = 0; round < 5; round++) {
      expect(await world.deliverAll()).toEqual([]);
      await world.runDueSyncs();
    }
    const rows = await world.messages(id);
    expect(await notes(id)).toHaveLength(1);
    // The end-user's message and our note. The rule's own messages trigger no rule.
    expect(rows.filter(({ content }) => content === 'seen')).toHaveLength(2);
    expect((await world.collected(id)).filter(line => line.includes('seen'))).toEqual([]);
  });

  it('each rule, and each bot, is reported separately', async () => {
    await open({ version });
    const id = await world.openMirroredSession();
    await rule([sends('one')], [contains('START')]);
    await rule([sends('two')], [contains('START')]);
    await world.act(id, 'POST', '/messages', { content: 'START', private: true });
    await world.runDueSyncs();
    await world.deliverAll();
    expect(await notes(id)).toHaveLength(2);
  });

  it('a message without content that can be shown is reported, also where automatic messages are forwarded', async () => {
    await open({ version, policy: { automaticReplies: 'FORWARD' } });
    const id = await world.openMirroredSession();
    const bot = await admin('POST', '/agent_bots', { name: 'Other' });
    await world.act(id, 'POST', '/messages', { content: '', content_type: 'integrations' }, bot.access_token);
    await world.runDueSyncs();
    await world.deliverAll();
    expect(await notes(id)).toEqual([expect.stringContaining('did not get it: a call or another integration')]);
    expect(await world.collected(id)).toEqual([]);
  });

  it('a survey without a handoff is reported; one after a handoff is forwarded', async () => {
    await open({ version });
    await admin('PATCH', `/inboxes/${world.inbox.externalId}`, { csat_survey_enabled: true });
    const id = await world.openMirroredSession();
    await world.act(id, 'POST', '/toggle_status', { status: 'resolved' });
    await world.runDueSyncs();
    await world.deliverAll();
    expect(await notes(id)).toEqual([expect.stringContaining('The survey was not sent to the end-user')]);

    const other = await world.handedOver();
    await (await world.acting(await world.addPerson('Alice'), other)).resolve();
    await world.runDueSyncs();
    await world.deliverAll();
    expect(await world.collected(other)).toContain('SURVEY');
    expect((await notes(other)).filter(text => text.includes('survey'))).toEqual([]);
  });

  it('in a closed session, agents are notified', async () => {
    await open({ version, policy: { automaticReplies: 'FORWARD' } });
    const id = await world.openMirroredSession();
    await world.flows.closeSession({ organizationId: 'org-1' }, { sessionId: id, idempotencyKey: world.nextKey() });
    await world.deliverAll();
    const bot = await admin('POST', '/agent_bots', { name: 'Other' });
    await world.act(id, 'POST', '/messages', { content: 'words' }, bot.access_token);
    await world.runDueSyncs();
    await world.deliverAll();
    expect(await notes(id)).toEqual([expect.stringContaining('the session is over')]);
    expect(await world.collected(id)).toEqual([]);
  });
});

it('files of an automatic message are archived and served as ours', async () => {
  await open({ policy: { automaticReplies: 'FORWARD' } });
  const id = await world.openMirroredSession();
  const bot = await admin('POST', '/agent_bots', { name: 'Other' });
  const form = new FormData();
  form.append('content', 'see this');
  form.append('attachments[]', new Blob(['%PDF-1.4'], { type: 'application/pdf' }), 'a.pdf');
  const { conversationId } = await world.session(id);
  const response = await fetch(`${world.double.baseUrl}${world.accountPath}/conversations/${conversationId}/messages`, {
    method: 'POST',
    headers: { 'api-access-token': bot.access_token },
    body: form,
  });
  expect(response.status).toBe(200);
  await world.runDueSyncs();
  const { rows } = await world.pool.query("select kind from delivery where session_id = $1 and destination = 'MEDIA'", [
    id,
  ]);
  expect(rows).toEqual([{ kind: 'ARCHIVE_FILE' }]);
  expect(await world.collected(id)).toEqual(['SYSTEM: see this']);
});

it('refused files of automatic messages are reported once, whatever the note triggers', async () => {
  await open({ policy: { automaticReplies: 'FORWARD' } });
  const id = await world.openMirroredSession();
  const bot = await admin('POST', '/agent_bots', { name: 'Other' });
  const rows: string[] = [];
  for (let n = 0; n < 2; n++) {
    await world.act(id, 'POST', '/messages', { content: `file ${n}` }, bot.access_token);
    rows.push(String((await world.messages(id)).at(-1).id));
    await world.runDueSyncs();
    await world.stores.sessions.transact('org-1', id, tx => notifyAgents(tx, rows[n]!, 'the file a.exe', 0));
    expect(await world.deliverAll()).toEqual([]);
  }
  expect(await notes(id)).toEqual([expect.stringContaining('the file a.exe')]);
});
