import { randomUUID } from 'node:crypto';
import type { ConversationAccess } from '../../../core/ports/provider/access';
import type { SupportProvider } from '../../../core/ports/provider/support-provider';
import type { ProviderFault } from '../harness';
import type { ContractFixture } from '../contract-fixture';

type Verb = (provider: SupportProvider, conversation: ConversationAccess, signal: AbortSignal) => Promise<unknown>;

export function failureCases(fixture: ContractFixture): void {
  const can = (fault: ProviderFault) => fixture.factory.faults.includes(fault);

  const verbs: [string, Verb][] = [
    ['capabilities', (provider, { inbox }, signal) => provider.readCapabilities(inbox.account, signal)],
    ['listTeams', (provider, { inbox }, signal) => provider.listTeams(inbox.account, signal)],
    ['listAgents', (provider, { inbox }, signal) => provider.listAgents(inbox.account, signal)],
    [
      'ensureInbox',
      (provider, { inbox }, signal) =>
        provider.ensureInbox(
          {
            account: inbox.account,
            externalId: null,
            providerData: {},
            inboxId: randomUUID(),
            chatbotId: 'bot-failing',
            name: 'Failing',
          },
          signal,
        ),
    ],
    [
      'ensureContact',
      (provider, { inbox }, signal) => provider.ensureContact(inbox, randomUUID(), fixture.endUser(), signal),
    ],
    [
      'openConversation',
      (provider, { inbox, contactId, sessionId }, signal) =>
        provider.openConversation({ inbox, contactId, sessionId, mayExist: true }, signal),
    ],
    [
      'postMessage',
      (provider, conversation, signal) => provider.postMessage(fixture.message(conversation, 'not to be seen'), signal),
    ],
    ['returnToBot', (provider, conversation, signal) => provider.returnToBot(conversation, signal)],
    [
      'openForAgents',
      (provider, conversation, signal) =>
        provider.openForAgents({ conversation, teamId: null, agentId: null, priority: null }, signal),
    ],
    ['resolve', (provider, conversation, signal) => provider.resolve(conversation, signal)],
    ['readConversation', (provider, conversation, signal) => provider.readConversation(conversation, signal)],
    ['listMessages', (provider, conversation, signal) => provider.listMessages({ conversation, after: null }, signal)],
  ];
  if (fixture.capabilities.privateNotes)
    verbs.push([
      'postNote',
      (provider, conversation, signal) =>
        provider.postNote(
          {
            conversation,
            noteId: `handoff:${randomUUID()}`,
            text: 'not to be seen',
            mayExist: false,
            lookupAfter: null,
          },
          signal,
        ),
    ]);
  const onConversations = verbs.filter(([name]) =>
    ['postMessage', 'postNote', 'returnToBot', 'openForAgents', 'resolve', 'readConversation', 'listMessages'].includes(
      name,
    ),
  );
  /**
   * Verbs that always call the remote. Some providers run the others locally, so an injected fault may not affect them.
   */
  const remote = verbs.filter(
    ([name]) => name !== 'capabilities' && (name !== 'listTeams' || fixture.capabilities.teams),
  );

  if (can('unavailable'))
    it.each(remote)(
      'throws PROVIDER_UNAVAILABLE from %s while the remote is down, and works afterwards',
      async (_name, call) => {
        const conversation = await fixture.newConversation();
        await fixture.harness.failNext('unavailable');
        await expect(call(fixture.provider, conversation, fixture.signal())).rejects.toMatchObject({
          code: 'PROVIDER_UNAVAILABLE',
        });
        await fixture.harness.heal();
        await call(fixture.provider, conversation, fixture.signal());
      },
    );

  if (can('auth'))
    it.each(remote)(
      'throws PROVIDER_AUTH from %s when our credentials or role are revoked, and works once they are restored',
      async (_name, call) => {
        const conversation = await fixture.newConversation();
        await fixture.harness.failNext('auth');
        await expect(call(fixture.provider, conversation, fixture.signal())).rejects.toMatchObject({
          code: 'PROVIDER_AUTH',
        });
        await fixture.harness.heal();
        await call(fixture.provider, conversation, fixture.signal());
      },
    );

  if (can('appliedThenCut')) {
    it('finds a message that was posted although the response was cut', async () => {
      const request = fixture.message(await fixture.newConversation(), 'cut off');
      await fixture.harness.failNext('appliedThenCut');
      await expect(fixture.post(request)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', delivered: 'unknown' });
      await fixture.harness.heal();
      await fixture.harness.restart();
      const id = await fixture.post({ ...request, mayExist: true });
      expect(await fixture.post({ ...request, mayExist: true })).toBe(id);
      expect(await fixture.textsSeen(request.conversation)).toEqual(['cut off']);
    });

    it('finds a conversation that was opened although the response was cut', async () => {
      const sessionId = randomUUID();
      const contactId = await fixture.provider.ensureContact(
        fixture.inbox,
        sessionId,
        fixture.endUser(),
        fixture.signal(),
      );
      const request = { inbox: fixture.inbox, contactId, sessionId, mayExist: false };
      await fixture.harness.failNext('appliedThenCut');
      await expect(fixture.provider.openConversation(request, fixture.signal())).rejects.toMatchObject({
        code: 'PROVIDER_UNAVAILABLE',
        delivered: 'unknown',
      });
      await fixture.harness.heal();
      const before = await fixture.harness.census();
      await fixture.harness.restart();
      await fixture.provider.openConversation({ ...request, mayExist: true }, fixture.signal());
      expect(await fixture.harness.census()).toEqual(before);
    });

    it('finds a contact that was created although the response was cut', async () => {
      const [sessionId, endUser] = [randomUUID(), fixture.endUser()];
      await fixture.harness.failNext('appliedThenCut');
      await expect(
        fixture.provider.ensureContact(fixture.inbox, sessionId, endUser, fixture.signal()),
      ).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
      await fixture.harness.heal();
      const before = await fixture.harness.census();
      await fixture.harness.restart();
      const contact = await fixture.provider.ensureContact(fixture.inbox, sessionId, endUser, fixture.signal());
      expect(await fixture.provider.ensureContact(fixture.inbox, sessionId, endUser, fixture.signal())).toBe(contact);
      expect(await fixture.harness.census()).toEqual(before);
    });

    if (fixture.capabilities.privateNotes)
      it('finds a note that was written although the response was cut', async () => {
        const conversation = await fixture.newConversation();
        const note = {
          conversation,
          noteId: `handoff:${randomUUID()}`,
          text: 'context',
          mayExist: false,
          lookupAfter: null,
        };
        await fixture.harness.failNext('appliedThenCut');
        await expect(fixture.provider.postNote(note, fixture.signal())).rejects.toMatchObject({
          code: 'PROVIDER_UNAVAILABLE',
          delivered: 'unknown',
        });
        await fixture.harness.heal();
        await fixture.harness.restart();
        await fixture.provider.postNote({ ...note, mayExist: true }, fixture.signal());
        expect(await fixture.textsSeen(conversation)).toEqual(['context']);
      });
  }

  it.each(onConversations)('reports from %s that a deleted conversation is gone', async (_name, call) => {
    const conversation = await fixture.newConversation();
    await fixture.harness.deletesConversation(conversation);
    await expect(call(fixture.provider, conversation, fixture.signal())).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      gone: true,
    });
  });

  it.each(verbs)('ends %s at once when its time is over, without any effect', async (_name, call) => {
    const conversation = await fixture.newConversation();
    const before = [
      await fixture.harness.census(),
      await fixture.harness.conversationState(conversation),
      await fixture.harness.agentSees(conversation),
    ];
    await expect(call(fixture.provider, conversation, AbortSignal.abort())).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      delivered: 'no',
    });
    expect([
      await fixture.harness.census(),
      await fixture.harness.conversationState(conversation),
      await fixture.harness.agentSees(conversation),
    ]).toEqual(before);
  });

  it.each(onConversations)('shows nothing of one organization to another through %s', async (_name, call) => {
    const theirs = await fixture.newConversation();
    await fixture.post(fixture.message(theirs, 'theirs'));
    const before = await fixture.harness.conversationState(theirs);
    const account = await fixture.setUp(await fixture.harness.newAccount());
    const foreign = { ...theirs, inbox: await fixture.newInbox(account) };
    await expect(call(fixture.provider, foreign, fixture.signal())).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      gone: true,
    });
    expect(await fixture.harness.conversationState(theirs)).toEqual(before);
    expect(await fixture.textsSeen(theirs)).toEqual(['theirs']);
  });

  it('lists no agents of another organization, and refuses them as a target', async () => {
    const account = await fixture.setUp(await fixture.harness.newAccount());
    const ours = (await fixture.provider.listAgents(account, fixture.signal())).map(agent => agent.externalId);
    expect(ours).not.toContain(fixture.ada.externalId);
    const conversation = await fixture.newConversation(await fixture.newInbox(account));
    await expect(fixture.openForAgents(conversation, { agentId: fixture.ada.externalId })).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
    });
    expect((await fixture.harness.conversationState(conversation)).status).toBe('BOT_HELD');
  });

  if (fixture.capabilities.teams)
    it('lists no teams of another organization, and refuses them as a target', async () => {
      await fixture.harness.addTeam(fixture.account, 'not for others');
      const theirs = (await fixture.provider.listTeams(fixture.account, fixture.signal())).find(
        team => team.name === 'not for others',
      );
      const account = await fixture.setUp(await fixture.harness.newAccount());
      expect((await fixture.provider.listTeams(account, fixture.signal())).map(team => team.externalId)).not.toContain(
        theirs?.externalId,
      );
      const conversation = await fixture.newConversation(await fixture.newInbox(account));
      await expect(fixture.openForAgents(conversation, { teamId: theirs?.externalId ?? '' })).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
      });
      expect((await fixture.harness.conversationState(conversation)).status).toBe('BOT_HELD');
    });
}
