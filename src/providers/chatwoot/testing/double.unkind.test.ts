import { ReplayAccount } from './replay/replay-account';

/* Facts marked [both] in the contract that one recording does not fully show. */

describe.each(['4.10', '4.14'] as const)('the double of %s', version => {
  let replay: ReplayAccount;
  let aheadMs: number;
  beforeEach(async () => {
    aheadMs = 0;
    replay = await ReplayAccount.open({ version, clock: () => new Date(Date.now() + aheadMs) });
  });
  afterEach(() => replay.close());
  const received = (event: string) =>
    replay.theatre.receiver.received.filter(one => one.event === event).map(({ body }) => JSON.parse(body));
  const ids = async (query: string): Promise<number[]> =>
    (await replay.call('GET', `/conversations?${query}`)).data.payload.map(({ id }: { id: number }) => id);

  it('does what an agent bot asks of a conversation with a team, and responds 500', async () => {
    await replay.bot();
    const team = await replay.call('POST', '/teams', { team: { name: 'billing' } });
    const { id } = await replay.conversation();
    for (const [path, body] of [
      ['assignments', { team_id: team.id }],
      ['toggle_status', { status: 'open' }],
      ['toggle_priority', { priority: 'high' }],
      ['custom_attributes', { custom_attributes: { a: 1 } }],
      ['messages', { content: 'x' }],
    ] as const)
      expect(await replay.raw('AB', 'POST', `/conversations/${id}/${path}`, body)).toMatchObject({ status: 200 });
    expect(await replay.raw('AB', 'PATCH', `/conversations/${id}`, { priority: 'low' })).toMatchObject({ status: 500 });
    expect(await replay.read(id)).toMatchObject({ priority: 'low', meta: { team: { id: team.id } } });
    const { id: contact, sourceId } = await replay.contact('with-team');
    expect(
      await replay.raw('AB', 'POST', '/conversations', {
        inbox_id: replay.inbox.id,
        contact_id: contact,
        source_id: sourceId,
        team_id: team.id,
      }),
    ).toMatchObject({ status: 500 });
    expect((await replay.call('GET', `/contacts/${contact}/conversations`)).payload).toMatchObject([
      { meta: { team: { id: team.id } } },
    ]);
  });

  it('returns all recent changes at once, open ones unless asked otherwise, and nothing for zero, less, or text', async () => {
    const made = [];
    for (let n = 0; n < 27; n++) made.push((await replay.conversation()).id);
    await replay.call('POST', `/conversations/${made[0]}/toggle_status`, { status: 'resolved' });
    for (const page of ['', '&page=2', '&page=9'])
      expect(await ids(`updated_within=600&status=all${page}`)).toHaveLength(27);
    expect(await ids('updated_within=600')).toHaveLength(26);
    for (const within of ['0', '-5', 'soon']) expect(await ids(`updated_within=${within}&status=all`)).toEqual([]);
    expect(await ids('status=all')).toHaveLength(25);
    aheadMs = 700_000;
    expect(await ids('updated_within=600&status=all')).toEqual([]);
  });

  it("returns the place in a team's queue: unassigned and open ones by waiting time, counted beside them", async () => {
    const team = await replay.call('POST', '/teams', { team: { name: 'billing', allow_auto_assign: false } });
    const made: number[] = [];
    for (let n = 0; n < 4; n++) {
      made.push((await replay.conversation()).id);
      await replay.call('POST', `/conversations/${made[n]}/assignments`, { team_id: team.id });
      aheadMs += 1_000;
    }
    // Replied to, so that it does not wait; and assigned.
    await replay.agent(ReplayAccount.ADA, made[0]!).reply('yes?');
    await replay.call('POST', `/conversations/${made[2]}/assignments`, { assignee_id: ReplayAccount.ADA });
    const queue = `team_id=${team.id}&assignee_type=unassigned&status=open&sort_by=waiting_since_asc`;
    expect(await ids(queue)).toEqual([made[1], made[3], made[0]]);
    expect((await replay.call('GET', `/conversations/meta?team_id=${team.id}&status=open`)).meta).toMatchObject({
      assigned_count: 1,
      unassigned_count: 3,
      all_count: 4,
    });
    expect(await replay.raw('ADA', 'GET', '/conversations?team_id=999')).toMatchObject({ status: 404 });
    expect(await ids('inbox_id=999')).toEqual([]);
  });

  it('reports a merge by the contact that stays, and by each message of a visitor that moved', async () => {
    await replay.call('POST', '/webhooks', {
      url: `${replay.theatre.receiver.url}/account`,
      subscriptions: ['contact_updated', 'message_updated'],
    });
    const base = await replay.contact('base', { email: 'base@acme.example' });
    const mergee = await replay.contact('mergee');
    const { id } = await replay.call('POST', '/conversations', {
      inbox_id: replay.inbox.id,
      contact_id: mergee.id,
      source_id: mergee.sourceId,
    });
    await replay.say(id, 'one');
    await replay.say(id, 'two');
    await replay.agent(ReplayAccount.ADA, id).reply('three');
    await replay.double.whenIdle();
    replay.theatre.receiver.clear();
    await replay.call('POST', '/actions/contact_merge', { base_contact_id: base.id, mergee_contact_id: mergee.id });
    await replay.double.whenIdle();
    expect(received('contact_updated').map(body => [body.id, body.identifier])).toEqual([[base.id, 'base']]);
    expect(
      received('message_updated')
        .map(body => [body.content, body.sender.id])
        .sort(),
    ).toEqual([
      ['one', base.id],
      ['two', base.id],
    ]);
    // The contact inbox now belongs to the other contact, and its identifier is free.
    const again = await replay.contact('mergee');
    expect(again.id).not.toBe(mergee.id);
    expect(
      await replay.raw('ADA', 'POST', '/conversations', {
        inbox_id: replay.inbox.id,
        contact_id: again.id,
        source_id: mergee.sourceId,
      }),
    ).toEqual({ status: 422, text: '{"error":"source_id should be unique"}' });
  });

  it("opens a snoozed conversation on a visitor's message, also where an agent bot is on the inbox", async () => {
    await replay.bot();
    const { id } = await replay.conversation();
    await replay.call('POST', `/conversations/${id}/toggle_status`, { status: 'snoozed' });
    await replay.say(id, 'hello?');
    expect(await replay.read(id)).toMatchObject({ status: 'open' });
  });

  it("runs automation rules on bots' lines and notes too, and not on what a rule wrote", async () => {
    await replay.bot();
    await replay.call('POST', '/automation_rules', {
      name: 'all',
      event_name: 'message_created',
      active: true,
      conditions: [],
      actions: [{ action_name: 'send_message', action_params: ['seen'] }],
    });
    const { id } = await replay.conversation();
    await replay.say(id, 'bot', { message_type: 'outgoing' }, 'AB');
    await replay.say(id, 'note', { message_type: 'outgoing', private: true });
    await replay.double.whenIdle();
    const rows = await replay.history(id);
    expect(rows.map(({ content }) => content).sort()).toEqual(['bot', 'note', 'seen', 'seen']);
    expect(
      rows.filter(({ content }) => content === 'seen').map(row => [row.sender ?? null, row.content_attributes]),
    ).toEqual([
      [null, { automation_rule_id: 1 }],
      [null, { automation_rule_id: 1 }],
    ]);
    expect((await replay.read(id)).first_reply_created_at).toBe(0);
  });

  it('notifies an agent whom somebody else assigns, and to whom an end-user or a bot writes; teams and pending conversations notify nobody', async () => {
    const bell = async () =>
      (await replay.theatre.call('ALICE', 'GET', '/api/v1/accounts/1/notifications')).data.payload.map(
        (row: { notification_type: string }) => row.notification_type,
      );
    const team = await replay.call('POST', '/teams', { team: { name: 'billing', allow_auto_assign: false } });
    await replay.call('POST', `/teams/${team.id}/team_members`, { user_ids: [ReplayAccount.ALICE] });
    const { id } = await replay.conversation();
    await replay.say(id, 'hello');
    await replay.call('POST', `/conversations/${id}/assignments`, { team_id: team.id });
    expect(await bell()).toEqual([]);
    await replay.call('POST', `/conversations/${id}/assignments`, { assignee_id: ReplayAccount.ALICE });
    expect(await bell()).toEqual(['conversation_assignment']);
    await replay.bot();
    await replay.say(id, 'I go on', { message_type: 'outgoing' }, 'AB');
    expect(await bell()).toEqual(['assigned_conversation_new_message', 'conversation_assignment']);
    const { id: pending } = await replay.conversation();
    await replay.call('POST', `/conversations/${pending}/assignments`, { assignee_id: ReplayAccount.ALICE });
    expect(await bell()).toHaveLength(2);
  });

  it('accepts a login link once, within five minutes; a newer one does not invalidate an older', async () => {
    const link = async (): Promise<string> =>
      new URL(
        (await replay.theatre.call('PLATFORM', 'GET', `/platform/api/v1/users/${ReplayAccount.ALICE}/login`)).url,
      ).searchParams.get('sso_auth_token')!;
    const signIn = async (token: string) =>
      (
        await fetch(`${replay.double.baseUrl}/auth/sign_in`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ email: 'alice@acme.example', sso_auth_token: token }),
        })
      ).status;
    const [older, newer, late] = [await link(), await link(), await link()];
    expect([await signIn(older), await signIn(older), await signIn(newer)]).toEqual([200, 401, 200]);
    aheadMs = 319_000;
    expect(await signIn(late)).toBe(401);
  });

  it("deletes an inbox's conversations at once, and the inbox a moment later", async () => {
    const { id } = await replay.conversation();
    await replay.call('DELETE', `/inboxes/${replay.inbox.id}`);
    expect((await replay.raw('ADA', 'GET', `/conversations/${id}`)).status).toBe(404);
    expect((await replay.raw('ADA', 'POST', `/conversations/${id}/messages`, { content: 'x' })).status).toBe(404);
    await replay.double.whenIdle();
    expect((await replay.call('GET', '/inboxes')).payload).toEqual([]);
  });

  it('stores a message whose file has a blank name, and fails on reading it', async () => {
    const { id } = await replay.conversation();
    await replay.say(id, 'before');
    const post = async (filename: string) => {
      const form = new FormData();
      form.append('content', 'file');
      form.append('attachments[]', new Blob(['x'], { type: 'text/plain' }), filename);
      return fetch(`${replay.double.baseUrl}/api/v1/accounts/1/conversations/${id}/messages`, {
        method: 'POST',
        headers: { 'api-access-token': replay.theatre.translate('<ADA_TOKEN>') },
        body: form,
      });
    };
    // Names that are only a path, too long, or contain characters that a header must not have.
    const filesOf = async (filename: string) =>
      ((await (await post(filename)).json()) as { attachments?: { data_url: string }[] }).attachments;
    expect([await filesOf('/'), await filesOf(`${'a'.repeat(5_000)}.txt`)]).toEqual([undefined, undefined]);
    expect(await filesOf('/etc/a%b;c.txt')).toEqual([
      expect.objectContaining({ data_url: expect.stringContaining('/a-b-c.txt') }),
    ]);
    replay.theatre.receiver.clear();
    for (const blank of [' ', '\t\u00a0']) {
      expect((await post(blank)).status).toBe(422);
      const status = async (path: string) => (await replay.raw('ALICE', 'GET', path)).status;
      expect([
        await status(`/conversations/${id}/messages`),
        await status(`/conversations/${id}`),
        await status('/conversations?status=all'),
      ]).toEqual([500, 500, 500]);
      expect(
        (await replay.raw('ADA', 'POST', `/conversations/${id}/toggle_status`, { status: 'resolved' })).status,
      ).toBe(500);
      await replay.say(id, 'after', { message_type: 'outgoing' });
      expect([await status(`/conversations/${id}/messages`), await status(`/conversations/${id}`)]).toEqual([500, 200]);
      expect((await replay.read(id)).status).toBe('resolved');
    }
    await replay.double.whenIdle();
    expect(received('message_created').filter(({ content }) => content === 'file')).toEqual([]);
    await replay.call('DELETE', `/conversations/${id}`);
    await replay.double.whenIdle();
    expect(await ids('status=all')).toEqual([]);
  });

  it("stops listing a Platform App's accounts once one was deleted; everything else of the platform works", async () => {
    const { id } = await replay.theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts', { name: 'Gone' });
    const status = async (path: string) =>
      (
        await fetch(`${replay.double.baseUrl}/platform/api/v1${path}`, {
          headers: { 'api-access-token': replay.double.platformToken },
        })
      ).status;
    expect(await status('/accounts')).toBe(200);
    await replay.theatre.call('PLATFORM', 'DELETE', `/platform/api/v1/accounts/${id}`);
    await replay.double.whenIdle();
    expect([await status('/accounts'), await status(`/accounts/${id}`), await status('/accounts/1')]).toEqual([
      500, 404, 200,
    ]);
    await replay.theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts', { name: 'Another' });
    expect(await status('/accounts')).toBe(500);
  });
});
