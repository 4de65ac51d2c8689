import { ReplayAccount } from './replay/replay-account';

/* Facts marked [both] in the contract that one recording does not fully show. */

describe.each(['4.10', '4.14'] as const)('the double of %s', version => {
  let stage: ReplayAccount;
  let aheadMs: number;
  beforeEach(async () => {
    aheadMs = 0;
    stage = await ReplayAccount.open({ version, clock: () => new Date(Date.now() + aheadMs) });
  });
  afterEach(() => stage.close());
  const received = (event: string) =>
    stage.theatre.receiver.received.filter(one => one.event === event).map(({ body }) => JSON.parse(body));
  const ids = async (query: string): Promise<number[]> =>
    (await stage.call('GET', `/conversations?${query}`)).data.payload.map(({ id }: { id: number }) => id);

  it('does what an agent bot asks of a conversation with a team, and answers 500', async () => {
    await stage.bot();
    const team = await stage.call('POST', '/teams', { team: { name: 'billing' } });
    const { id } = await stage.conversation();
    for (const [path, body] of [
      ['assignments', { team_id: team.id }],
      ['toggle_status', { status: 'open' }],
      ['toggle_priority', { priority: 'high' }],
      ['custom_attributes', { custom_attributes: { a: 1 } }],
      ['messages', { content: 'x' }],
    ] as const)
      expect(await stage.raw('AB', 'POST', `/conversations/${id}/${path}`, body)).toMatchObject({ status: 200 });
    expect(await stage.raw('AB', 'PATCH', `/conversations/${id}`, { priority: 'low' })).toMatchObject({ status: 500 });
    expect(await stage.read(id)).toMatchObject({ priority: 'low', meta: { team: { id: team.id } } });
    const { id: contact, sourceId } = await stage.contact('with-team');
    expect(
      await stage.raw('AB', 'POST', '/conversations', {
        inbox_id: stage.inbox.id,
        contact_id: contact,
        source_id: sourceId,
        team_id: team.id,
      }),
    ).toMatchObject({ status: 500 });
    expect((await stage.call('GET', `/contacts/${contact}/conversations`)).payload).toMatchObject([
      { meta: { team: { id: team.id } } },
    ]);
  });

  it('answers all that changed lately at once, open ones unless asked otherwise, and nothing for zero, less, or text', async () => {
    const made = [];
    for (let n = 0; n < 27; n++) made.push((await stage.conversation()).id);
    await stage.call('POST', `/conversations/${made[0]}/toggle_status`, { status: 'resolved' });
    for (const page of ['', '&page=2', '&page=9'])
      expect(await ids(`updated_within=600&status=all${page}`)).toHaveLength(27);
    expect(await ids('updated_within=600')).toHaveLength(26);
    for (const within of ['0', '-5', 'soon']) expect(await ids(`updated_within=${within}&status=all`)).toEqual([]);
    expect(await ids('status=all')).toHaveLength(25);
    aheadMs = 700_000;
    expect(await ids('updated_within=600&status=all')).toEqual([]);
  });

  it("shows the place in a team's queue: unassigned and open ones by how long they wait, counted beside them", async () => {
    const team = await stage.call('POST', '/teams', { team: { name: 'billing', allow_auto_assign: false } });
    const made: number[] = [];
    for (let n = 0; n < 4; n++) {
      made.push((await stage.conversation()).id);
      await stage.call('POST', `/conversations/${made[n]}/assignments`, { team_id: team.id });
      aheadMs += 1_000;
    }
    // Replied to, so that it does not wait; and assigned.
    await stage.agent(ReplayAccount.ADA, made[0]!).reply('yes?');
    await stage.call('POST', `/conversations/${made[2]}/assignments`, { assignee_id: ReplayAccount.ADA });
    const queue = `team_id=${team.id}&assignee_type=unassigned&status=open&sort_by=waiting_since_asc`;
    expect(await ids(queue)).toEqual([made[1], made[3], made[0]]);
    expect((await stage.call('GET', `/conversations/meta?team_id=${team.id}&status=open`)).meta).toMatchObject({
      assigned_count: 1,
      unassigned_count: 3,
      all_count: 4,
    });
    expect(await stage.raw('ADA', 'GET', '/conversations?team_id=999')).toMatchObject({ status: 404 });
    expect(await ids('inbox_id=999')).toEqual([]);
  });

  it('tells of a merge by the contact that stays, and by each message of a visitor that moved', async () => {
    await stage.call('POST', '/webhooks', {
      url: `${stage.theatre.receiver.url}/account`,
      subscriptions: ['contact_updated', 'message_updated'],
    });
    const base = await stage.contact('base', { email: 'base@acme.example' });
    const mergee = await stage.contact('mergee');
    const { id } = await stage.call('POST', '/conversations', {
      inbox_id: stage.inbox.id,
      contact_id: mergee.id,
      source_id: mergee.sourceId,
    });
    await stage.say(id, 'one');
    await stage.say(id, 'two');
    await stage.agent(ReplayAccount.ADA, id).reply('three');
    await stage.double.settled();
    stage.theatre.receiver.clear();
    await stage.call('POST', '/actions/contact_merge', { base_contact_id: base.id, mergee_contact_id: mergee.id });
    await stage.double.settled();
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
    const again = await stage.contact('mergee');
    expect(again.id).not.toBe(mergee.id);
    expect(
      await stage.raw('ADA', 'POST', '/conversations', {
        inbox_id: stage.inbox.id,
        contact_id: again.id,
        source_id: mergee.sourceId,
      }),
    ).toEqual({ status: 422, text: '{"error":"source_id should be unique"}' });
  });

  it("opens what sleeps with the visitor's word, also where an agent bot is on the inbox", async () => {
    await stage.bot();
    const { id } = await stage.conversation();
    await stage.call('POST', `/conversations/${id}/toggle_status`, { status: 'snoozed' });
    await stage.say(id, 'hello?');
    expect(await stage.read(id)).toMatchObject({ status: 'open' });
  });

  it("runs rules on bots' lines and notes too, and not on what a rule wrote", async () => {
    await stage.bot();
    await stage.call('POST', '/automation_rules', {
      name: 'all',
      event_name: 'message_created',
      active: true,
      conditions: [],
      actions: [{ action_name: 'send_message', action_params: ['seen'] }],
    });
    const { id } = await stage.conversation();
    await stage.say(id, 'bot', { message_type: 'outgoing' }, 'AB');
    await stage.say(id, 'note', { message_type: 'outgoing', private: true });
    await stage.double.settled();
    const rows = await stage.history(id);
    expect(rows.map(({ content }) => content).sort()).toEqual(['bot', 'note', 'seen', 'seen']);
    expect(
      rows.filter(({ content }) => content === 'seen').map(row => [row.sender ?? null, row.content_attributes]),
    ).toEqual([
      [null, { automation_rule_id: 1 }],
      [null, { automation_rule_id: 1 }],
    ]);
    expect((await stage.read(id)).first_reply_created_at).toBe(0);
  });

  it('calls a person whom somebody else assigns, and whom an end-user or a bot writes to; a team, and a conversation that is pending, call nobody', async () => {
    const bell = async () =>
      (await stage.theatre.call('ALICE', 'GET', '/api/v1/accounts/1/notifications')).data.payload.map(
        (row: { notification_type: string }) => row.notification_type,
      );
    const team = await stage.call('POST', '/teams', { team: { name: 'billing', allow_auto_assign: false } });
    await stage.call('POST', `/teams/${team.id}/team_members`, { user_ids: [ReplayAccount.ALICE] });
    const { id } = await stage.conversation();
    await stage.say(id, 'hello');
    await stage.call('POST', `/conversations/${id}/assignments`, { team_id: team.id });
    expect(await bell()).toEqual([]);
    await stage.call('POST', `/conversations/${id}/assignments`, { assignee_id: ReplayAccount.ALICE });
    expect(await bell()).toEqual(['conversation_assignment']);
    await stage.bot();
    await stage.say(id, 'I go on', { message_type: 'outgoing' }, 'AB');
    expect(await bell()).toEqual(['assigned_conversation_new_message', 'conversation_assignment']);
    const { id: pending } = await stage.conversation();
    await stage.call('POST', `/conversations/${pending}/assignments`, { assignee_id: ReplayAccount.ALICE });
    expect(await bell()).toHaveLength(2);
  });

  it('lets a login link in once, within five minutes, a newer one not ending an older', async () => {
    const link = async (): Promise<string> =>
      new URL(
        (await stage.theatre.call('PLATFORM', 'GET', `/platform/api/v1/users/${ReplayAccount.ALICE}/login`)).url,
      ).searchParams.get('sso_auth_token')!;
    const signIn = async (token: string) =>
      (
        await fetch(`${stage.double.baseUrl}/auth/sign_in`, {
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

  it("loses an inbox's conversations at once, and the inbox a moment later", async () => {
    const { id } = await stage.conversation();
    await stage.call('DELETE', `/inboxes/${stage.inbox.id}`);
    expect((await stage.raw('ADA', 'GET', `/conversations/${id}`)).status).toBe(404);
    expect((await stage.raw('ADA', 'POST', `/conversations/${id}/messages`, { content: 'x' })).status).toBe(404);
    await stage.double.settled();
    expect((await stage.call('GET', '/inboxes')).payload).toEqual([]);
  });

  it('keeps a message whose file has a blank name, and breaks on it', async () => {
    const { id } = await stage.conversation();
    await stage.say(id, 'before');
    const post = async (filename: string) => {
      const form = new FormData();
      form.append('content', 'file');
      form.append('attachments[]', new Blob(['x'], { type: 'text/plain' }), filename);
      return fetch(`${stage.double.baseUrl}/api/v1/accounts/1/conversations/${id}/messages`, {
        method: 'POST',
        headers: { 'api-access-token': stage.theatre.translate('<ADA_TOKEN>') },
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
    stage.theatre.receiver.clear();
    for (const blank of [' ', '\t\u00a0']) {
      expect((await post(blank)).status).toBe(422);
      const status = async (path: string) => (await stage.raw('ALICE', 'GET', path)).status;
      expect([
        await status(`/conversations/${id}/messages`),
        await status(`/conversations/${id}`),
        await status('/conversations?status=all'),
      ]).toEqual([500, 500, 500]);
      expect(
        (await stage.raw('ADA', 'POST', `/conversations/${id}/toggle_status`, { status: 'resolved' })).status,
      ).toBe(500);
      await stage.say(id, 'after', { message_type: 'outgoing' });
      expect([await status(`/conversations/${id}/messages`), await status(`/conversations/${id}`)]).toEqual([500, 200]);
      expect((await stage.read(id)).status).toBe('resolved');
    }
    await stage.double.settled();
    expect(received('message_created').filter(({ content }) => content === 'file')).toEqual([]);
    await stage.call('DELETE', `/conversations/${id}`);
    await stage.double.settled();
    expect(await ids('status=all')).toEqual([]);
  });

  it("lists a Platform App's accounts no more once one was deleted; all else of the platform answers", async () => {
    const { id } = await stage.theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts', { name: 'Gone' });
    const status = async (path: string) =>
      (
        await fetch(`${stage.double.baseUrl}/platform/api/v1${path}`, {
          headers: { 'api-access-token': stage.double.platformToken },
        })
      ).status;
    expect(await status('/accounts')).toBe(200);
    await stage.theatre.call('PLATFORM', 'DELETE', `/platform/api/v1/accounts/${id}`);
    await stage.double.settled();
    expect([await status('/accounts'), await status(`/accounts/${id}`), await status('/accounts/1')]).toEqual([
      500, 404, 200,
    ]);
    await stage.theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts', { name: 'Another' });
    expect(await status('/accounts')).toBe(500);
  });
});
