import type { ConversationAccess } from '../../../core/ports/provider/access';
import { ChatwootFixture } from './fixture';

/**
 * Checks the numbers of calls in README.md at the double. test/e2e/demo-url.test.ts covers the way through core and
 * database.
 */
describe.each(['3.16', '4.10', '4.14'] as const)('calls to Chatwoot %s', version => {
  let fixture: ChatwootFixture;
  let conversation: ConversationAccess;
  let team: string;

  beforeAll(async () => {
    fixture = await ChatwootFixture.ready({ version });
    const made = await fixture.farSide.call('POST', `${fixture.account}/teams`, fixture.admin, {
      name: 'orders',
      allow_auto_assign: false,
    });
    team = String(made.id);
  });
  afterAll(() => fixture.stop());
  beforeEach(async () => {
    conversation = await fixture.conversation();
    await fixture.post(conversation, 'Hello?');
  });

  const note = () =>
    fixture.provider.postNote(
      {
        conversation,
        noteId: `note:${conversation.conversationId}`,
        text: 'Reason: asked',
        mayExist: false,
        lookupAfter: null,
      },
      fixture.signal(),
    );

  it('are three for a handoff of an existing session: context note, team, open', async () => {
    const calls = await fixture.callsOf(async () => {
      await note();
      await fixture.open(conversation, { teamId: team });
    });
    expect(calls).toEqual([
      'POST /conversations/messages',
      'POST /conversations/assignments',
      'POST /conversations/toggle_status',
    ]);
    expect(await fixture.readConversation(conversation)).toMatchObject({
      status: 'open',
      meta: { team: { id: Number(team) } },
    });
  });

  it('are one more if the conversation is not known to be clean', async () => {
    const calls = await fixture.callsOf(async () => {
      await fixture.provider.returnToBot(conversation, fixture.signal());
      await note();
      await fixture.open(conversation, { teamId: team });
    });
    expect(calls).toHaveLength(4);
    expect(calls[0]).toBe('GET /conversations');
  });

  it('are one for a message of the end-user, of the bot, and for a note', async () => {
    expect(await fixture.callsOf(() => fixture.post(conversation, 'Where is it?'))).toEqual([
      'POST /conversations/messages',
    ]);
    expect(await fixture.callsOf(() => fixture.post(conversation, 'On its way.', { author: 'BOT' }))).toEqual([
      'POST /conversations/messages',
    ]);
    expect(
      await fixture.callsOf(() => fixture.post(conversation, 'Late again.', { author: 'BOT', visibility: 'INTERNAL' })),
    ).toEqual(['POST /conversations/messages']);
  });

  it("are one for an agent's message, and one more for the state of the conversation", async () => {
    await fixture.open(conversation, { teamId: team });
    const said = await fixture.post(conversation, 'Anybody?');
    await fixture.createActingAgent(fixture.ownerId, conversation).reply('Here I am.');
    const words = await fixture.callsOf(async () => {
      const { observations } = await fixture.provider.listMessages({ conversation, after: said }, fixture.signal());
      expect(observations.filter(({ kind }) => kind === 'agentMessage')).toMatchObject([{ text: 'Here I am.' }]);
    });
    expect(words).toEqual(['GET /conversations/messages']);
    expect(await fixture.callsOf(() => fixture.provider.readConversation(conversation, fixture.signal()))).toEqual([
      'GET /conversations',
    ]);
  });
});
