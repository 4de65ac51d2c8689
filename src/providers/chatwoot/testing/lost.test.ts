import { createChatwootWorld, type ChatwootWorld, type ChatwootWorldOptions } from './chatwoot-world';
import type { ChatwootVersion } from './double';

const VERSIONS: readonly ChatwootVersion[] = ['3.16', '4.10', '4.14'];

/** Conversations deleted in Chatwoot, which sends no event. The policy reopens handoffs where possible. */
describe.each(VERSIONS)('on Chatwoot %s', version => {
  let world: ChatwootWorld;
  let team: string;
  let sessionId: string;
  let handoffId: string;
  const open = async (policy: ChatwootWorldOptions['policy'] = { lostConversation: 'REOPEN' }): Promise<void> => {
    world = await createChatwootWorld({ version, policy });
    const alice = await world.addPerson('Alice');
    team = String((await world.addTeam('orders', [alice])).id);
    await world.flows.refreshDirectory({ organizationId: 'org-1' }, world.account.id);
    sessionId = await world.handedOver({ target: { team, agent: null }, reason: 'asked' });
    handoffId = (await world.liveHandoff(sessionId))!.id;
    await (await world.acting(alice, sessionId)).reply('Here I am.');
    await world.runDueSyncs();
    expect(await world.handoff(handoffId)).toMatchObject({ state: 'ACTIVE' });
    await world.acknowledgeAll(sessionId);
  };
  afterEach(() => world.close());

  /** Deletes and waits for it: Chatwoot deletes inboxes after the response. */
  async function remove(path: string): Promise<void> {
    await world.double.whenIdle();
    await world.farSide.call('DELETE', path, world.admin);
    await world.double.whenIdle();
  }
  const readUntilFound = async (): Promise<void> => {
    for (let tries = 0; tries < 200 && (await world.session(sessionId)).conversationId !== null; tries++)
      await world.read(sessionId);
  };
  const shown = async () => (await world.messages(sessionId)).map(row => row.content);
  const TALK = ['hello', 'Alice: Here I am.', expect.stringContaining('Reason: asked')];

  it.each(['conversation', 'contact'])(
    'a %s: the same handoff waits in a new conversation, with its history, note and team',
    async what => {
      if (version === '3.16' && what === 'conversation') what = 'contact';
      await open();
      const { contactId, conversationId } = await world.session(sessionId);
      await remove(
        `${world.accountPath}/${what === 'contact' ? `contacts/${contactId}` : `conversations/${conversationId}`}`,
      );
      await readUntilFound();
      expect(await world.handoff(handoffId)).toMatchObject({ state: 'REQUESTED' });
      expect(await world.applyAllVerdicts()).toEqual([]);
      expect(await world.handoff(handoffId)).toMatchObject({ state: 'QUEUED', agent: null });
      expect(await shown()).toEqual(TALK);
      expect(await world.conversation(sessionId)).toMatchObject({
        status: 'open',
        meta: { team: { id: Number(team) } },
      });
      await world.user(sessionId, 'still there?');
      expect(await world.applyAllVerdicts()).toEqual([]);
      expect(await shown()).toEqual([...TALK, 'still there?']);
    },
  );

  it('the inbox: a handoff that cannot be reopened fails with its cause, and with a new inbox the next message creates a conversation', async () => {
    await open();
    await remove(`${world.accountPath}/inboxes/${world.inbox.externalId}`);
    await readUntilFound();
    const codes = await world.applyAllVerdicts();
    expect(codes.filter(code => code === 'park').length).toBe(1);
    expect(codes.length).toBeLessThan(10);
    expect(await world.handoff(handoffId)).toMatchObject({ state: 'FAILED', failureCode: 'PROVIDER_REFUSED' });
    expect(await world.session(sessionId)).toMatchObject({ control: 'BOT' });
    await world.enableAgain();
    await world.user(sessionId, 'still there?');
    expect(await world.applyAllVerdicts()).toEqual([]);
    expect(await shown()).toEqual(['hello', 'Alice: Here I am.', 'still there?']);
  });

  it('the account: nothing loops, and the bot has control again', async () => {
    await open();
    await world.double.whenIdle();
    await world.farSide.platform('DELETE', `/accounts/${world.account.externalId}`);
    await world.double.whenIdle();
    // The AgentBot was deleted too. Pending deliveries wait as for any invalid credentials, and are not lost.
    await world.user(sessionId, 'still there?');
    expect(await world.applyAllVerdicts()).toEqual(['retry PROVIDER_AUTH']);
    await readUntilFound();
    expect(await world.handoff(handoffId)).toMatchObject({ state: 'REQUESTED' });
    await world.pool.query("update lane set next_run_at = now() where destination = 'PROVIDER'");
    expect(await world.applyAllVerdicts()).toEqual([...Array<string>(5).fill('recreate'), 'park']);
    expect(await world.handoff(handoffId)).toMatchObject({ state: 'FAILED', failureCode: 'PROVIDER_REFUSED' });
    expect(await world.session(sessionId)).toMatchObject({ control: 'BOT' });
    expect((await world.session(sessionId)).statusWrites % 2).toBe(0);
  });

  it('the team: the conversation continues without it; reopened, it is open to all, and agents are notified', async () => {
    await open();
    await remove(`${world.accountPath}/teams/${team}`);
    await world.read(sessionId);
    expect(await world.handoff(handoffId)).toMatchObject({ state: 'ACTIVE' });
    const { conversationId, contactId } = await world.session(sessionId);
    await remove(
      version === '3.16'
        ? `${world.accountPath}/contacts/${contactId}`
        : `${world.accountPath}/conversations/${conversationId}`,
    );
    await readUntilFound();
    expect(await world.applyAllVerdicts()).toEqual([]);
    expect(await world.handoff(handoffId)).toMatchObject({ state: 'QUEUED' });
    expect((await world.messages(sessionId)).at(-1)).toMatchObject({
      private: true,
      content: expect.stringContaining('Team: '),
    });
  });

  it('by default a lost conversation ends the handoff, and the next message creates a new conversation', async () => {
    await open({});
    const { contactId } = await world.session(sessionId);
    await remove(`${world.accountPath}/contacts/${contactId}`);
    await world.user(sessionId, 'still there?');
    expect(await world.applyAllVerdicts()).toEqual(['recreate']);
    expect(await world.handoff(handoffId)).toMatchObject({ state: 'ENDED', endReason: 'PROVIDER_LOST' });
    expect(await shown()).toEqual(['still there?']);
  });
});
