import type { ConversationAccess } from '../../../core/ports/provider/access';
import { parseWebhook } from '../webhook';
import { ChatwootFixture } from './fixture';

/** An existing account with one user, as whom this service acts. */
let workshop: ChatwootFixture;
let conversation: ConversationAccess;
beforeEach(async () => {
  workshop = await ChatwootFixture.hosted();
  conversation = await workshop.conversation();
});
afterEach(() => workshop.stop());

const read = async () =>
  (await workshop.provider.listMessages({ conversation, after: null }, workshop.signal())).observations.filter(
    ({ kind }) => kind !== 'ignored',
  );
const agentOf = async () => (await workshop.provider.readConversation(conversation, workshop.signal())).agent;
const root = () => ({ externalId: String(workshop.ownerId), name: 'Root' });

describe('the person whose token this service uses', () => {
  it('acts as an agent: messages, notes and changes of a conversation are theirs', async () => {
    await workshop.post(conversation, 'hello');
    await workshop.open(conversation);
    const acting = workshop.createActingAgent(workshop.ownerId, conversation);
    await acting.reply('Here I am.');
    await acting.assignSelf();
    expect(await read()).toEqual([
      expect.objectContaining({ kind: 'echo' }),
      expect.objectContaining({ kind: 'agentMessage', text: 'Here I am.', agent: root() }),
    ]);
    const { id } = (await workshop.messages(conversation)).at(-1);
    expect(await workshop.provider.readMessages!(conversation, [String(id)], workshop.signal())).toMatchObject([
      { kind: 'agentMessage' },
    ]);
    expect(await agentOf()).toEqual(root());
  });

  it('is listed, may be the target of a handoff, and may be a member of inboxes and teams', async () => {
    const { agentsAndTeams } = workshop.provider;
    const id = String(workshop.ownerId);
    expect(await workshop.provider.listAgents(workshop.access, workshop.signal())).toMatchObject([
      { externalId: id, role: 'ADMINISTRATOR' },
    ]);
    await workshop.open(conversation, { agentId: id });
    expect(await agentOf()).toEqual(root());
    await agentsAndTeams!.setInboxMembers(workshop.inbox, [id], workshop.signal());
    const { externalId } = await agentsAndTeams!.createTeam(
      workshop.access,
      { name: 'all of us', autoAssign: false },
      workshop.signal(),
    );
    await agentsAndTeams!.setTeamMembers(workshop.access, externalId, [id], workshop.signal());
    await agentsAndTeams!.addAgent(
      { access: workshop.access, name: 'Root', email: 'ROOT@people.example', role: 'ADMINISTRATOR' },
      workshop.signal(),
    );
  });

  it('keeps the role and membership that this service needs', async () => {
    const people = workshop.provider.agentsAndTeams!;
    const [access, agentId] = [workshop.access, String(workshop.ownerId)];
    const refused = { code: 'PROVIDER_REFUSED' };
    await expect(people.changeAgentRole({ access, agentId, role: 'AGENT' }, workshop.signal())).rejects.toMatchObject(
      refused,
    );
    await expect(people.removeAgent({ access, agentId, deletePerson: true }, workshop.signal())).rejects.toMatchObject(
      refused,
    );
    await expect(
      people.addAgent({ access, name: 'Root', email: 'root@people.example', role: 'AGENT' }, workshop.signal()),
    ).rejects.toMatchObject(refused);
    expect(await workshop.provider.listAgents(access, workshop.signal())).toMatchObject([
      { externalId: agentId, role: 'ADMINISTRATOR' },
    ]);
  });

  it('is shown by webhooks when they type, take a conversation, or have one', () => {
    const hintOf = (body: object) =>
      parseWebhook({
        account: workshop.access,
        headers: {},
        rawBody: Buffer.from(JSON.stringify(body)),
        receivedAt: 0,
      });
    const id = workshop.ownerId;
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
    await workshop.post(conversation, 'hello');
    const said = await workshop.post(conversation, 'a line of the bot', { author: 'BOT' });
    await workshop.provider.postNote(
      {
        conversation,
        noteId: '7a6a1f0e-36a5-4b4a-9d7b-0b6f5b0a9c11',
        text: 'a note',
        mayExist: false,
        lookupAfter: null,
      },
      workshop.signal(),
    );
    await workshop.open(conversation, { priority: 'HIGH' });
    await workshop.provider.reportDelivery!(
      { conversation, messageId: said, state: 'FAILED', error: 'gone' },
      workshop.signal(),
    );
    await workshop.provider.deleteMessage!({ conversation, messageId: said }, workshop.signal());
    await workshop.provider.resolve(conversation, workshop.signal());
    await workshop.provider.returnToBot(conversation, workshop.signal());
    await workshop.open(conversation);
    await workshop.ensureAccount([]);
    expect((await read()).map(({ kind }) => kind)).toEqual(['echo', 'messageDeleted', 'echo']);
    expect(await agentOf()).toBeNull();
    await workshop.double.settled();
    expect((await workshop.readConversation(conversation)).meta.assignee ?? null).toBeNull();
  });
});
