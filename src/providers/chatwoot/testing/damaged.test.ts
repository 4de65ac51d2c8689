import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';
import { setAsideIn } from './parked-work';

/*
 * CONTRACT 2.2: for a file with a blank name Chatwoot responds with 422 and stores the message, whose conversation can
 * no longer be shown.
 */

const scope = { organizationId: ORG };
let world: ChatwootWorld;
afterEach(() => world.close());
const { letters: deadLetters, work, resend } = setAsideIn(() => world);
const conversationOf = async (id: string): Promise<string> => (await world.session(id)).conversationId!;
const status = async (path: string): Promise<number> =>
  (await fetch(`${world.double.baseUrl}${world.accountPath}${path}`, { headers: { 'api-access-token': world.admin } }))
    .status;

/** Damages a conversation, as an agent or another integration could. */
async function damage(id: string, filename = ' '): Promise<void> {
  const form = new FormData();
  form.append('content', 'see this');
  form.append('attachments[]', new Blob(['x'], { type: 'text/plain' }), filename);
  const { conversationId } = await world.session(id);
  const response = await fetch(`${world.double.baseUrl}${world.accountPath}/conversations/${conversationId}/messages`, {
    method: 'POST',
    headers: { 'api-access-token': world.admin },
    body: form,
  });
  expect(response.status).toBe(422);
}
/** Fails to read, as the worker does: a failed sync is retried and counted. */
async function readInVain(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await world.pool.query("update lane set next_run_at = now(), is_timer = false where destination = 'SYNC'");
    const [sync] = await world.stores.lanes.claimSyncs('HINT', 1, 60_000);
    await expect(world.read(sync!.sessionId)).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      isConversationOnly: true,
    });
    await world.stores.lanes.finishSync(sync!, 0, true);
  }
}
/** Makes our own post fail as damaged. The original cause is gone by now: all our files have names. */
async function postDamaged(id: string): Promise<void> {
  await world.user(id, 'with a file', {
    attachments: [{ url: `${world.double.baseUrl}/a.txt`, name: 'a.txt', contentType: 'text/plain', sizeBytes: 1 }],
  });
  world.double.failNext({
    match: { method: 'POST', path: /\/messages$/ },
    mode: 'status:422',
    body: {
      error:
        'No route matches {:action=>"show", :controller=>"active_storage/blobs/redirect"}, possible unmatched constraints: [:filename]',
    },
  });
}

describe('a post that Chatwoot stores but cannot display', () => {
  it('is parked at once, later deliveries continue, and agents get the next step', async () => {
    world = await createChatwootWorld();
    const id = await world.openMirroredSession();
    await postDamaged(id);
    await world.user(id, 'later');
    expect(await work()).toEqual(['park']);
    expect(await deadLetters()).toMatchObject([{ kind: 'POST_MESSAGE', code: 'PROVIDER_DAMAGED', outcome: 'UNKNOWN' }]);
    expect((await world.messages(id)).map(({ content, private: isPrivate }) => [isPrivate ? 'note' : content])).toEqual(
      [['hello'], ['note'], ['later']],
    );
  });

  it('is not repeated in the next conversation after an administrator deleted this one; the rest is, and an operator may resend it', async () => {
    world = await createChatwootWorld({ policy: { lostConversation: 'REOPEN' } });
    const id = await world.handedOver();
    await postDamaged(id);
    expect(await work()).toEqual(['park']);
    const first = await conversationOf(id);
    await world.act(id, 'DELETE', '');
    await world.double.whenIdle();
    await world.read(id);
    await world.user(id, 'later');
    await work();
    expect(await conversationOf(id)).not.toBe(first);
    expect(
      (await world.messages(id)).filter(({ private: isPrivate }) => !isPrivate).map(({ content }) => content),
    ).toEqual(['hello', 'later']);
    expect(await deadLetters()).toMatchObject([{ code: 'PROVIDER_DAMAGED' }]);
    await resend();
    expect(await work()).toEqual([]);
    expect((await world.messages(id)).map(({ content }) => content).join()).toContain('with a file');
  });

  it('parked while a handoff forwards its history, it does not fail the handoff', async () => {
    world = await createChatwootWorld({ policy: { mirroring: 'ON_HANDOFF' } });
    const { id } = await world.open();
    await world.user(id, 'before');
    await world.user(id, 'with a file', {
      attachments: [{ url: `${world.double.baseUrl}/a.txt`, name: 'a.txt', contentType: 'text/plain', sizeBytes: 1 }],
    });
    await world.ask(id);
    world.double.failNext({ match: { method: 'POST', path: /\/messages$/ }, mode: 'slow' });
    world.double.failNext({
      match: { method: 'POST', path: /\/messages$/ },
      mode: 'status:422',
      body: { error: 'No route matches {:action=>"show"}' },
    });
    expect(await work()).toEqual(['park']);
    expect(await world.liveHandoff(id)).toMatchObject({ state: 'QUEUED' });
    expect(await deadLetters()).toMatchObject([{ code: 'PROVIDER_DAMAGED' }]);
  });
});

describe.each(['4.10', '4.14'] as const)('a conversation that others damaged, on Chatwoot %s,', version => {
  it('is named by health with the repair steps, while its history and all lists fail; then health recovers', async () => {
    world = await createChatwootWorld({ version });
    const id = await world.handedOver();
    const other = await world.openMirroredSession('hello');
    const conversation = await conversationOf(id);
    await damage(id);
    // Every agent's list fails while that row is the newest one.
    expect([
      await status('/conversations'),
      await status(`/conversations/${conversation}`),
      await status(`/conversations/${await conversationOf(other)}`),
    ]).toEqual([500, 500, 200]);
    await world.stores.sessions.transact(ORG, id, tx => tx.requestSync(new Date(0).toISOString()));
    await readInVain(3);

    const items = async () =>
      (await world.flows.inspectDrift(scope, world.account.id)).filter(({ problem }) => problem !== null);
    const health = async () => (await world.stores.setup.findAccount(ORG, world.account.id))!.health;
    expect(await items()).toMatchObject([
      {
        id: `conversation:${conversation}`,
        kind: 'CONVERSATION',
        repairable: false,
        problem: expect.stringMatching(
          new RegExp(`conversation ${conversation}.*administrator delete conversation ${conversation}`),
        ),
      },
      {
        id: 'conversation-list',
        kind: 'CONVERSATION',
        problem: expect.stringContaining(`It may be conversation ${conversation}.`),
      },
    ]);
    expect(await health()).toMatchObject({
      state: 'DRIFTED',
      problem: { message: expect.stringContaining(`conversation ${conversation}`) },
    });

    // The documented repair, step by step.
    await world.act(id, 'POST', '/messages', { content: 'newer', private: true });
    expect([await status('/conversations'), await status(`/conversations/${conversation}/messages`)]).toEqual([
      200, 500,
    ]);
    expect(await items()).toMatchObject([{ id: `conversation:${conversation}` }]);
    await world.act(id, 'DELETE', '');
    await world.double.whenIdle();
    await world.read(id);
    await world.pool.query("update lane set failures = 0 where destination = 'SYNC'");
    expect(await items()).toEqual([]);
    expect(await health()).toMatchObject({ state: 'HEALTHY' });
    expect((await world.session(id)).conversationId).toBeNull();
  });

  it('does not block a write of unknown outcome forever: it is parked after a quarter of an hour, and the rest continues', async () => {
    world = await createChatwootWorld({ version });
    const id = await world.openMirroredSession();
    await world.user(id, 'once');
    world.double.failNext({ match: { method: 'POST', path: /\/messages$/ }, mode: 'applyThenCut' });
    expect(await work()).toEqual(['retry PROVIDER_UNAVAILABLE']);
    await damage(id);
    await world.user(id, 'later');
    for (let n = 0; n < 2; n++) expect(await work()).toEqual(['retry PROVIDER_DAMAGED']);
    expect(await deadLetters()).toEqual([]);
    world.time.aheadMs += 15 * 60_000 + 1;
    expect(await work()).toEqual(['park']);
    expect(await deadLetters()).toMatchObject([{ kind: 'POST_MESSAGE', code: 'PROVIDER_DAMAGED', outcome: 'UNKNOWN' }]);
    await work();
    expect(await status('/conversations')).toBe(200);
    // Without a file it cannot have caused the damage: it goes to the next conversation.
    await world.act(id, 'DELETE', '');
    await world.double.whenIdle();
    await world.ask(id);
    await work();
    await work();
    expect((await world.messages(id)).map(({ content }) => content)).toEqual(
      expect.arrayContaining(['hello', 'once', 'later']),
    );
  });

  it('is not assumed during an outage: while the whole account fails, no conversation counts as damaged', async () => {
    world = await createChatwootWorld({ version });
    const id = await world.handedOver();
    for (const part of ['postgres', 'redis'] as const) {
      await world.double.outage(part);
      if (part === 'postgres')
        await expect(world.read(id)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', isConversationOnly: false });
      await world.double.outage(null);
    }
    await world.read(id);
  });
});
