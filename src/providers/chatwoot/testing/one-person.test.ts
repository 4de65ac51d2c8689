import type { ConversationAccess } from '../../../core/ports/provider/access';
import { parseWebhook } from '../webhook';
import { ChatwootFixture } from './fixture';

/** An existing account with one user, as whom this service acts. */
let fixture: ChatwootFixture;
let conversation: ConversationAccess;
beforeEach(async () => {
  fixture = await ChatwootFixture.hosted();
  conversation = await fixture.conversation();
});
afterEach(() => fixture.stop());

const read = async () =>
  (await fixture.provider.listMessages({ conversation, after: null }, fixture.signal())).observations.filter(
    ({ kind }) => kind !== 'ignored',
  );
const agentOf = async () => (await fixture.provider.readConversation(conversation, fixture.signal())).agent;
const root = () => ({ externalId: String(fixture.ownerId), name: 'Root' });

describe('the person whose token this service uses', () => {
  it('acts as an agent: messages, notes and changes of a conversation are theirs', async () => {
    await fixture.post(conversation, 'hello');
    await fixture.open(conversation);
    const acting = fixture.createActingAgent(fixture.ownerId, conversation);
    await acting.reply('Here I am.');
    await acting.assignSelf();
    expect(await read()).toEqual([
      expect.objectContaining({ kind: 'echo' }),
      expect.objectContaining({ kind: 'agentMessage', text: 'Here I am.', agent: root() }),
    ]);
    const { id } = (await fixture.messages(conversation)).at(-1);
    expect(await fixture.provider.readMessages!(conversation, [String(id)], fixture.signal())).toMatchObject([
      { kind: 'agentMessage' },
    ]);
    expect(await agentOf()).toEqual(root());
  });

  it('is listed, may be the target of a handoff, and may be a member of inboxes and teams', async () => {
    const { agentsAndTeams } = fixture.provider;
    const id = String(fixture.ownerId);
    expect(await fixture.provider.listAgents(fixture.access, fixture.signal())).toMatchObject([
      { externalId: id, role: 'ADMINISTRATOR' },
    ]);
    await fixture.open(conversation, { agentId: id });
    expect(await agentOf()).toEqual(root());
    await agentsAndTeams!.setInboxMembers(fixture.inbox, [id], fixture.signal());
    const { externalId } = await agentsAndTeams!.createTeam(
      fixture.access,
      { name: 'all of us', autoAssign: false },
      fixture.signal(),
    );
    await agentsAndTeams!.setTeamMembers(fixture.access, externalId, [id], fixture.signal());
    await agentsAndTeams!.addAgent(
      { access: fixture.access, name: 'Root', email: 'ROOT@people.example', role: 'ADMINISTRATOR' },
      fixture.signal(),
    );
  });

  it('keeps the role and membership that this service needs', async () => {
    const agentVerbs = fixture.provider.agentsAndTeams!;
    const [access, agentId] = [fixture.access, String(fixture.ownerId)];
    const refused = { code: 'PROVIDER_REFUSED' };
    await expect(
      agentVerbs.changeAgentRole({ access, agentId, role: 'AGENT' }, fixture.signal()),
    ).rejects.toMatchObject(refused);
    await expect(
      agentVerbs.removeAgent({ access, agentId, deletePerson: true }, fixture.signal()),
    ).rejects.toMatchObject(refused);
    await expect(
      agentVerbs.addAgent({ access, name: 'Root', email: 'root@people.example', role: 'AGENT' }, fixture.signal()),
    ).rejects.toMatchObject(refused);
    expect(await fixture.provider.listAgents(access, fixture.signal())).toMatchObject([
      { externalId: agentId, role: 'ADMINISTRATOR' },
    ]);
  });

  it('appears in webhooks when they type, take a conversation, or have one', () => {
    const hintOf = (body: object) =>
      parseWebhook({
        account: fixture.access,
        headers: {},
        rawBody: Buffer.from(JSON.stringify(body)),
        receivedAt: 0,
      });
    const id = fixture.ownerId;
    expect(
      hintOf({
        event: 'conversation_typing_on',
        user: { id, type: 'user' },
        conversation: { id: 5 },
        is_private: false,
      }),
    ).toMatchObject({ kind: 'typing', agentId: String(id) });
    expect(
      hintOf({ event: 'conversation_updated', id: 5, changed_attributes: [{ assignee_id: { current_value: id } }] }),
    ).toMatchObject({ stateHint: { agentId: String(id) } });
    const meta = { assignee: { id, name: 'Root', type: 'user' }, assignee_type: 'User', team: null };
    expect(hintOf({ event: 'conversation_status_changed', id: 5, status: 'open', meta })).toMatchObject({
      stateHint: { agentId: String(id) },
    });
  });
});

describe("this service's use of that person's token", () => {
  it('never counts as theirs: setup, posts, status changes, marks and deletions assign nobody and forward nothing', async () => {
    await fixture.post(conversation, 'hello');
    const said = await fixture.post(conversation, 'a line of the bot', { author: 'BOT' });
    await fixture.provider.postNote(
      {
        conversation,
        noteId: '7a6a1f0e-36a5-4b4a-9d7b-0b6f5b0a9c11',
        text: 'a note',
        mayExist: false,
        lookupAfter: null,
      },
      fixture.signal(),
    );
    await fixture.open(conversation, { priority: 'HIGH' });
    await fixture.provider.reportDelivery!(
      { conversation, messageId: said, state: 'FAILED', error: 'gone' },
      fixture.signal(),
    );
    await fixture.provider.deleteMessage!({ conversation, messageId: said }, fixture.signal());
    await fixture.provider.resolve(conversation, fixture.signal());
    await fixture.provider.returnToBot(conversation, fixture.signal());
    await fixture.open(conversation);
    await fixture.ensureAccount([]);
    expect((await read()).map(({ kind }) => kind)).toEqual(['echo', 'messageDeleted', 'echo']);
    expect(await agentOf()).toBeNull();
    await fixture.double.whenIdle();
    expect((await fixture.readConversation(conversation)).meta.assignee ?? null).toBeNull();
  });
});
