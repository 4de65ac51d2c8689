import { createChatwootWorld, type ChatwootWorld } from './chatwoot-world';

/* The behavior measured on 4.10.0 and 4.14.2 in December, seen from this service. */

describe.each(['4.10', '4.14'] as const)('on Chatwoot %s', version => {
  let world: ChatwootWorld;
  beforeEach(async () => {
    world = await createChatwootWorld({ version });
  });
  afterEach(() => world.close());
  const failed = () => world.double.requests().filter(({ status }) => typeof status === 'number' && status >= 500);

  it('the AgentBot never acts on a conversation with a team: two handoffs of one session to a team get no 500', async () => {
    const team = await world.addTeam('billing', [await world.addPerson('Alice')]);
    await world.flows.refreshDirectory({ organizationId: 'org-1' }, world.account.id);
    const id = await world.openMirroredSession();
    world.double.clearRequests();
    for (let round = 0; round < 2; round++) {
      await world.ask(id, { target: { team: String(team.id), agent: null }, reason: 'asked' });
      expect(await world.deliverAll()).toEqual([]);
      expect(await world.conversation(id)).toMatchObject({ status: 'open', meta: { team: { id: team.id } } });
      await world.flows.endHandoff(
        { organizationId: 'org-1' },
        { sessionId: id, handoffId: null, reason: 'BOT_CANCELLED', idempotencyKey: world.nextKey() },
      );
      expect(await world.deliverAll()).toEqual([]);
      await world.runDueSyncs();
    }
    expect(failed()).toEqual([]);
  });

  it("an agent's retry of our failed post leaves only its source_id: it stays ours, and is not forwarded", async () => {
    const id = await world.handedOver();
    await world.runDueSyncs();
    const [hello] = await world.messages(id);
    await world.act(id, 'PATCH', `/messages/${hello.id}`, { status: 'failed', external_error: '503' });
    await world.act(id, 'POST', `/messages/${hello.id}/retry`, {});
    await world.bot(id, 'x', { onControlLost: 'SUGGEST' }).catch(() => undefined);
    await world.deliverAll();
    await world.acknowledgeAll(id);
    for (const row of await world.messages(id)) await world.act(id, 'POST', `/messages/${row.id}/retry`, {});
    expect((await world.messages(id)).map(({ content_attributes: attributes }) => attributes)).toEqual(
      (await world.messages(id)).map(() => ({})),
    );
    await world.runDueSyncs();
    await world.read(id);
    expect(await world.deliverAll()).toEqual([]);
    expect(await world.collected(id)).toEqual([]);
    expect(await world.messages(id)).toHaveLength(2);
  });

  it('a removed failed mark causes no sync: its key stays, with null', async () => {
    const id = await world.handedOver();
    await world.runDueSyncs();
    const [hello] = await world.messages(id);
    await world.act(id, 'PATCH', `/messages/${hello.id}`, { status: 'failed', external_error: '503' });
    await world.runDueSyncs();
    // This service removed the mark, and the webhook about that has arrived.
    expect((await world.messages(id))[0]).toMatchObject({
      status: 'delivered',
      content_attributes: { external_error: null },
    });
    expect(await world.callsOf(() => world.runDueSyncs())).toEqual([]);
  });

  it('a merge of contacts changes nothing of a session, however many of its messages moved', async () => {
    const id = await world.handedOver();
    await world.user(id, 'and more');
    await world.deliverAll();
    await world.runDueSyncs();
    const { contactId } = await world.session(id);
    const { payload } = await world.farSide.call('POST', `${world.accountPath}/contacts`, world.admin, {
      name: 'Base',
      identifier: 'base',
    });
    const before = await world.collected(id);
    await world.farSide.call('POST', `${world.accountPath}/actions/contact_merge`, world.admin, {
      base_contact_id: payload.contact.id,
      mergee_contact_id: Number(contactId),
    });
    expect(await world.callsOf(() => world.runDueSyncs())).toEqual([]);
    expect(await world.collected(id)).toEqual(before);
    await world.user(id, 'afterwards');
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.messages(id)).at(-1)).toMatchObject({
      content: 'afterwards',
      sender: { id: payload.contact.id },
    });
  });

  it("another contact's source_id, left by a merge, is refused at once and is no outage", async () => {
    const id = await world.openMirroredSession();
    const access = await world.access(id);
    const { payload } = await world.farSide.call('POST', `${world.accountPath}/contacts`, world.admin, {
      name: 'Other',
      identifier: 'other',
    });
    await expect(
      world.provider.openConversation(
        { inbox: access.inbox, contactId: String(payload.contact.id), sessionId: id, mayExist: false },
        AbortSignal.timeout(20_000),
      ),
    ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });
});
