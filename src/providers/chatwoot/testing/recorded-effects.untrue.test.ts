import { decemberRecordings, type WebhookRecording } from './recording-files';
import { takeSnapshot, readRows } from './cases/effect-snapshot';
import { runCase, recordedFiles, recordingOf } from './cases/run-case';
import { RecordedScene } from './cases/scene';
import { untrue } from './cases/untrue';

describe('a recorded webhook with a false claim', () => {
  it.each(untrue.map(one => [`${one.file}: ${one.effectName}`, one] as const))('%s', (_name, one) => runCase(one));
});

describe('a recorded webhook about a conversation that is not ours', () => {
  const recording = recordingOf('message_created.url_query_key.inbox');
  let scene: RecordedScene;
  beforeEach(async () => {
    scene = await RecordedScene.open(recording);
  });
  afterEach(() => scene.close());

  it('message_created.url_query_key.inbox: has no effect', async () => {
    await scene.begin({ conversation: 1 });
    await scene.syncAndCollect();
    const rows = await readRows(scene);
    expect(await scene.post()).toEqual({ status: 200, outcome: 'unknownConversation' });
    expect(await scene.world.callsOf(() => scene.runUntilIdle())).toEqual([]);
    expect(await readRows(scene)).toEqual(rows);
  });

  it('message_created.url_query_key.inbox: notifies Alice, once, that it is not forwarded when it is with an end-user of ours', async () => {
    const { world } = scene;
    const { clock } = world.deps;
    const ids = [JSON.parse(recording.body).conversation.contact_inbox.source_id as string];
    world.deps.clock = { ...clock, newId: () => ids.pop() ?? clock.newId() };
    await scene.begin({ conversation: 1 });
    await scene.syncAndCollect();
    world.double.setNextIds({ conversation: 45 });
    const { contactId } = await world.session(scene.sessionId);
    await world.farSide.call('POST', `${world.accountPath}/conversations`, world.admin, {
      source_id: scene.sessionId,
      inbox_id: 1,
      contact_id: Number(contactId),
      status: 'open',
    });
    scene.next(141);
    await scene.alice.reply('reply while has a query string');

    const before = await takeSnapshot(scene);
    const notes = async () =>
      (await world.farSide.get(`${world.accountPath}/conversations/45/messages`, world.admin)).payload.filter(
        (row: { private: boolean }) => row.private,
      ).length;
    for (const outcome of ['agentInitiated', 'unknownConversation']) {
      expect(await scene.post()).toEqual({ status: 200, outcome });
      await scene.runUntilIdle();
      expect(await notes()).toBe(1);
      expect(await takeSnapshot(scene)).toEqual(before);
    }
  });
});

describe('a recorded webhook that its sender cannot have signed', () => {
  const signed = recordedFiles.filter(file => file.endsWith('.signed'));
  let scene: RecordedScene;
  // A change that any sync would find.
  beforeAll(async () => {
    scene = await RecordedScene.open(recordingOf('conversation_updated.inbox.signed'));
    await scene.begin();
    await scene.syncAndCollect();
    await scene.alice.reopen();
  });
  afterAll(() => scene.close());

  const WAYS: readonly (readonly [
    string,
    string,
    (recording: WebhookRecording) => Parameters<RecordedScene['post']>[0] & { readonly secret?: string },
  ])[] = [
    [
      'with one byte changed',
      'badSignature',
      ({ body }) => {
        const changed = Buffer.from(body);
        const at = changed.indexOf('"event":"') + 9;
        changed[at] = changed[at]! ^ 1;
        return { body: changed };
      },
    ],
    ["with another inbox's secret", 'badSignature', () => ({ secret: "another inbox's" })],
    [
      'not at all, where the inbox has a secret',
      'badSignature',
      ({ headers }) => ({
        headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-chatwoot'))),
      }),
    ],
    ['six minutes ago', 'stale', () => ({ lateMs: 360_000 })],
  ];
  it.each(signed.flatMap(file => WAYS.map(([how, outcome, way]) => [file, how, outcome, way] as const)))(
    '%s: %s is refused and has no effect',
    async (file, _how, outcome, way) => {
      const recording = recordingOf(file);
      const { secret = recording.secret!, ...altered } = way(recording);
      await scene.keepSecret(secret);
      const rows = await readRows(scene);
      expect(await scene.post({ recording, ...altered })).toEqual({ status: 401, outcome });
      expect(await scene.world.callsOf(() => scene.runUntilIdle())).toEqual([]);
      expect(await scene.requestedSync()).toBeNull();
      expect(await readRows(scene)).toEqual(rows);
    },
  );

  it('the same one, as it was signed, has an effect', async () => {
    await scene.keepSecret(scene.recording.secret!);
    expect(await scene.post()).toEqual({ status: 200, outcome: 'recorded' });
    expect(await scene.runUntilIdle()).toBeGreaterThan(0);
    expect(await takeSnapshot(scene)).toMatchObject({ notices: ['ASSIGNED'], handoff: 'ASSIGNED Alice' });
  });
});

describe('a webhook recorded in December', () => {
  let scene: RecordedScene;
  let rows: unknown;
  beforeAll(async () => {
    scene = await RecordedScene.open(recordingOf('message_created.url_query_key.inbox'));
    await scene.begin({ conversation: 1 });
    await scene.syncAndCollect();
    rows = await readRows(scene);
  });
  afterAll(() => scene.close());

  /** Returns the recorded body with our account and the session's conversation. */
  const ofOurs = (body: string): Buffer => {
    const { account, conversation, ...rest } = JSON.parse(body);
    const isConversation = /^(conversation_(created|updated|status)|automation_event)/.test(rest.event);
    return Buffer.from(
      JSON.stringify({
        ...rest,
        ...(account && { account: { ...account, id: 1 } }),
        ...(isConversation && { id: 1 }),
        ...(conversation && { conversation: { ...conversation, id: 1 } }),
      }),
    );
  };

  it.each(decemberRecordings<WebhookRecording>('webhooks').map(one => [one.file, one] as const))(
    '%s causes at most a sync, and nothing untrue',
    async (_file, recording) => {
      const body = ofOurs(recording.body);
      expect(
        await scene.post({ recording, body, headers: { ...recording.headers, 'content-length': String(body.length) } }),
      ).toMatchObject({ status: 200 });
      await scene.runUntilIdle();
      expect(await readRows(scene)).toEqual(rows);
      expect(scene.world.typed).toEqual([]);
    },
  );
});
