import { randomUUID } from 'node:crypto';
import type { ConversationAccess } from '../../../core/ports/provider/access';
import type { SupportProvider } from '../../../core/ports/provider/support-provider';
import type { ProviderFault } from '../harness';
import type { ContractFixture } from '../contract-fixture';

type Verb = (provider: SupportProvider, conversation: ConversationAccess, signal: AbortSignal) => Promise<unknown>;

export function failureCases(stage: ContractFixture): void {
  const can = (fault: ProviderFault) => stage.factory.faults.includes(fault);

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
      (provider, { inbox }, signal) => provider.ensureContact(inbox, randomUUID(), stage.endUser(), signal),
    ],
    [
      'openConversation',
      (provider, { inbox, contactId, sessionId }, signal) =>
        provider.openConversation({ inbox, contactId, sessionId, mayExist: true }, signal),
    ],
    [
      'postMessage',
      (provider, conversation, signal) => provider.postMessage(stage.message(conversation, 'not to be seen'), signal),
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
  if (stage.capabilities.privateNotes)
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
    ([name]) => name !== 'capabilities' && (name !== 'listTeams' || stage.capabilities.teams),
  );

  if (can('unavailable'))
    it.each(remote)(
      'says PROVIDER_UNAVAILABLE from %s while the far side is down, and works afterwards',
      async (_name, call) => {
        const conversation = await stage.newConversation();
        await stage.harness.failNext('unavailable');
        await expect(call(stage.provider, conversation, stage.signal())).rejects.toMatchObject({
          code: 'PROVIDER_UNAVAILABLE',
        });
        await stage.harness.heal();
        await call(stage.provider, conversation, stage.signal());
      },
    );

  if (can('auth'))
    it.each(remote)(
      'says PROVIDER_AUTH from %s when our credentials or role no longer serve, and works once they do',
      async (_name, call) => {
        const conversation = await stage.newConversation();
        await stage.harness.failNext('auth');
        await expect(call(stage.provider, conversation, stage.signal())).rejects.toMatchObject({
          code: 'PROVIDER_AUTH',
        });
        await stage.harness.heal();
        await call(stage.provider, conversation, stage.signal());
      },
    );

  if (can('appliedThenCut')) {
    it('finds a message that was posted although the answer was cut', async () => {
      const request = stage.message(await stage.newConversation(), 'cut off');
      await stage.harness.failNext('appliedThenCut');
      await expect(stage.post(request)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', delivered: 'unknown' });
      await stage.harness.heal();
      await stage.harness.restart();
      const id = await stage.post({ ...request, mayExist: true });
      expect(await stage.post({ ...request, mayExist: true })).toBe(id);
      expect(await stage.textsSeen(request.conversation)).toEqual(['cut off']);
    });

    it('finds a conversation that was opened although the answer was cut', async () => {
      const sessionId = randomUUID();
      const contactId = await stage.provider.ensureContact(stage.inbox, sessionId, stage.endUser(), stage.signal());
      const request = { inbox: stage.inbox, contactId, sessionId, mayExist: false };
      await stage.harness.failNext('appliedThenCut');
      await expect(stage.provider.openConversation(request, stage.signal())).rejects.toMatchObject({
        code: 'PROVIDER_UNAVAILABLE',
        delivered: 'unknown',
      });
      await stage.harness.heal();
      const before = await stage.harness.census();
      await stage.harness.restart();
      await stage.provider.openConversation({ ...request, mayExist: true }, stage.signal());
      expect(await stage.harness.census()).toEqual(before);
    });

    it('finds a contact that was made although the answer was cut', async () => {
      const [sessionId, endUser] = [randomUUID(), stage.endUser()];
      await stage.harness.failNext('appliedThenCut');
      await expect(stage.provider.ensureContact(stage.inbox, sessionId, endUser, stage.signal())).rejects.toMatchObject(
        { code: 'PROVIDER_UNAVAILABLE' },
      );
      await stage.harness.heal();
      const before = await stage.harness.census();
      await stage.harness.restart();
      const contact = await stage.provider.ensureContact(stage.inbox, sessionId, endUser, stage.signal());
      expect(await stage.provider.ensureContact(stage.inbox, sessionId, endUser, stage.signal())).toBe(contact);
      expect(await stage.harness.census()).toEqual(before);
    });

    if (stage.capabilities.privateNotes)
      it('finds a note that was written although the answer was cut', async () => {
        const conversation = await stage.newConversation();
        const note = {
          conversation,
          noteId: `handoff:${randomUUID()}`,
          text: 'context',
          mayExist: false,
          lookupAfter: null,
        };
        await stage.harness.failNext('appliedThenCut');
        await expect(stage.provider.postNote(note, stage.signal())).rejects.toMatchObject({
          code: 'PROVIDER_UNAVAILABLE',
          delivered: 'unknown',
        });
        await stage.harness.heal();
        await stage.harness.restart();
        await stage.provider.postNote({ ...note, mayExist: true }, stage.signal());
        expect(await stage.textsSeen(conversation)).toEqual(['context']);
      });
  }

  it.each(onConversations)('says from %s that a deleted conversation is gone', async (_name, call) => {
    const conversation = await stage.newConversation();
    await stage.harness.deletesConversation(conversation);
    await expect(call(stage.provider, conversation, stage.signal())).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      gone: true,
    });
  });

  it.each(verbs)('gives up %s at once when its time is over, and has done nothing', async (_name, call) => {
    const conversation = await stage.newConversation();
    const before = [
      await stage.harness.census(),
      await stage.harness.conversationState(conversation),
      await stage.harness.agentSees(conversation),
    ];
    await expect(call(stage.provider, conversation, AbortSignal.abort())).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      delivered: 'no',
    });
    expect([
      await stage.harness.census(),
      await stage.harness.conversationState(conversation),
      await stage.harness.agentSees(conversation),
    ]).toEqual(before);
  });

  it.each(onConversations)('shows nothing of one organization to another through %s', async (_name, call) => {
    const theirs = await stage.newConversation();
    await stage.post(stage.message(theirs, 'theirs'));
    const before = await stage.harness.conversationState(theirs);
    const account = await stage.setUp(await stage.harness.newAccount());
    const foreign = { ...theirs, inbox: await stage.newInbox(account) };
    await expect(call(stage.provider, foreign, stage.signal())).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      gone: true,
    });
    expect(await stage.harness.conversationState(theirs)).toEqual(before);
    expect(await stage.textsSeen(theirs)).toEqual(['theirs']);
  });

  it('lists no agents of another organization, and refuses them as a target', async () => {
    const account = await stage.setUp(await stage.harness.newAccount());
    const ours = (await stage.provider.listAgents(account, stage.signal())).map(agent => agent.externalId);
    expect(ours).not.toContain(stage.ada.externalId);
    const conversation = await stage.newConversation(await stage.newInbox(account));
    await expect(stage.openForAgents(conversation, { agentId: stage.ada.externalId })).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
    });
    expect((await stage.harness.conversationState(conversation)).status).toBe('BOT_HELD');
  });

  if (stage.capabilities.teams)
    it('lists no teams of another organization, and refuses them as a target', async () => {
      await stage.harness.addTeam(stage.account, 'not for others');
      const theirs = (await stage.provider.listTeams(stage.account, stage.signal())).find(
        team => team.name === 'not for others',
      );
      const account = await stage.setUp(await stage.harness.newAccount());
      expect((await stage.provider.listTeams(account, stage.signal())).map(team => team.externalId)).not.toContain(
        theirs?.externalId,
      );
      const conversation = await stage.newConversation(await stage.newInbox(account));
      await expect(stage.openForAgents(conversation, { teamId: theirs?.externalId ?? '' })).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
      });
      expect((await stage.harness.conversationState(conversation)).status).toBe('BOT_HELD');
    });
}
