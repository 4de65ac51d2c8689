import type { ConversationAccess } from '../../../core/ports/provider/access';
import { ChatwootFixture } from './fixture';

/**
 * Checks the numbers of calls in README.md at the double. test/e2e/demo-url.test.ts covers the way through core and
 * database.
 */
describe.each(['3.16', '4.10', '4.14'] as const)('calls to Chatwoot %s', version => {
  let workshop: ChatwootFixture;
  let conversation: ConversationAccess;
  let team: string;

  beforeAll(async () => {
    workshop = await ChatwootFixture.ready({ version });
    const made = await workshop.farSide.call('POST', `${workshop.account}/teams`, workshop.admin, {
      name: 'orders',
      allow_auto_assign: false,
    });
    team = String(made.id);
  });
  afterAll(() => workshop.stop());
  beforeEach(async () => {
    conversation = await workshop.conversation();
    await workshop.post(conversation, 'Hello?');
  });

  const note = () =>
    workshop.provider.postNote(
      {
        conversation,
        noteId: `note:${conversation.conversationId}`,
        text: 'Reason: asked',
        mayExist: false,
        lookupAfter: null,
      },
      workshop.signal(),
    );

  it('are three for a handoff of an existing session: context note, team, open', async () => {
    const calls = await workshop.callsOf(async () => {
      await note();
      await workshop.open(conversation, { teamId: team });
    });
    expect(calls).toEqual([
      'POST /conversations/messages',
      'POST /conversations/assignments',
      'POST /conversations/toggle_status',
    ]);
    expect(await workshop.readConversation(conversation)).toMatchObject({
      status: 'open',
      meta: { team: { id: Number(team) } },
    });
  });

  it('are one more if the conversation is not known to be clean', async () => {
    const calls = await workshop.callsOf(async () => {
      await workshop.provider.returnToBot(conversation, workshop.signal());
      await note();
      await workshop.open(conversation, { teamId: team });
    });
    expect(calls).toHaveLength(4);
    expect(calls[0]).toBe('GET /conversations');
  });

  it('are one for a message of the end-user, of the bot, and for a note', async () => {
    expect(await workshop.callsOf(() => workshop.post(conversation, 'Where is it?'))).toEqual([
      'POST /conversations/messages',
    ]);
    expect(await workshop.callsOf(() => workshop.post(conversation, 'On its way.', { author: 'BOT' }))).toEqual([
      'POST /conversations/messages',
    ]);
    expect(
      await workshop.callsOf(() =>
        workshop.post(conversation, 'Late again.', { author: 'BOT', visibility: 'INTERNAL' }),
      ),
    ).toEqual(['POST /conversations/messages']);
  });

  it("are one for an agent's message, and one more for the state of the conversation", async () => {
    await workshop.open(conversation, { teamId: team });
    const said = await workshop.post(conversation, 'Anybody?');
    await workshop.createActingAgent(workshop.ownerId, conversation).reply('Here I am.');
    const words = await workshop.callsOf(async () => {
      const { observations } = await workshop.provider.listMessages({ conversation, after: said }, workshop.signal());
      expect(observations.filter(({ kind }) => kind === 'agentMessage')).toMatchObject([{ text: 'Here I am.' }]);
    });
    expect(words).toEqual(['GET /conversations/messages']);
    expect(await workshop.callsOf(() => workshop.provider.readConversation(conversation, workshop.signal()))).toEqual([
      'GET /conversations',
    ]);
  });
});
