import { randomUUID } from 'node:crypto';
import type { MessageAuthor } from '../../../core/message';
import { postedFile } from '../posted-file';
import type { ContractFixture } from '../contract-fixture';

export function speakCases(fixture: ContractFixture): void {
  it('creates one contact per session, also after a restart', async () => {
    const sessionId = randomUUID();
    const first = await fixture.provider.ensureContact(fixture.inbox, sessionId, fixture.endUser(), fixture.signal());
    const before = await fixture.harness.census();
    await fixture.harness.restart();
    expect(await fixture.provider.ensureContact(fixture.inbox, sessionId, fixture.endUser(), fixture.signal())).toBe(
      first,
    );
    expect(await fixture.harness.census()).toEqual(before);
  });

  it('creates one contact per session for eight concurrent calls', async () => {
    const sessionId = randomUUID();
    const endUser = fixture.endUser();
    const contacts = await Promise.all(
      Array.from({ length: 8 }, () =>
        fixture.provider.ensureContact(fixture.inbox, sessionId, endUser, fixture.signal()),
      ),
    );
    expect(new Set(contacts).size).toBe(1);
  });

  it('opens a conversation that the bot has', async () => {
    const conversation = await fixture.newConversation();
    expect(await fixture.harness.conversationState(conversation)).toEqual({
      status: 'BOT_HELD',
      agentId: null,
      teamId: null,
      priority: null,
    });
  });

  it('returns the first conversation when one may exist', async () => {
    const { inbox, contactId, sessionId, conversationId } = await fixture.newConversation();
    const before = await fixture.harness.census();
    await fixture.harness.restart();
    expect(
      await fixture.provider.openConversation({ inbox, contactId, sessionId, mayExist: true }, fixture.signal()),
    ).toBe(conversationId);
    expect(await fixture.harness.census()).toEqual(before);
  });

  it('keeps the conversations of two sessions apart', async () => {
    const [one, other] = [await fixture.newConversation(), await fixture.newConversation()];
    expect(one.conversationId).not.toBe(other.conversationId);
    await fixture.post(fixture.message(one, 'only here'));
    expect(await fixture.textsSeen(other)).toEqual([]);
  });

  it('shows a message once when posted twice under one id', async () => {
    const request = fixture.message(await fixture.newConversation(), 'hello');
    const first = await fixture.post(request);
    expect(await fixture.post({ ...request, mayExist: true })).toBe(first);
    expect(await fixture.textsSeen(request.conversation)).toEqual(['hello']);
  });

  it('shows a message once when posted again after a restart, from a known position on', async () => {
    const conversation = await fixture.newConversation();
    const lookupAfter = await fixture.post(fixture.message(conversation, 'earlier'));
    const request = { ...fixture.message(conversation, 'hello', { author: 'BOT' }), lookupAfter: lookupAfter };
    const first = await fixture.post(request);
    await fixture.post(fixture.message(conversation, 'later'));
    await fixture.harness.restart();
    expect(await fixture.post({ ...request, mayExist: true })).toBe(first);
    expect(await fixture.textsSeen(conversation)).toEqual(['earlier', 'hello', 'later']);
  });

  it('posts a message that may exist and does not', async () => {
    const request = fixture.message(await fixture.newConversation(), 'never arrived before');
    await fixture.post({ ...request, mayExist: true });
    expect(await fixture.textsSeen(request.conversation)).toEqual(['never arrived before']);
  });

  it('shows two messages of the same text as two', async () => {
    const conversation = await fixture.newConversation();
    await fixture.post(fixture.message(conversation, 'same'));
    await fixture.post({ ...fixture.message(conversation, 'same'), mayExist: true });
    expect(await fixture.textsSeen(conversation)).toEqual(['same', 'same']);
  });

  it('keeps the order in which messages were posted', async () => {
    const conversation = await fixture.newConversation();
    const texts = Array.from({ length: 12 }, (_, index) => `line ${index}`);
    for (const [index, text] of texts.entries())
      await fixture.post(fixture.message(conversation, text, { author: index % 2 ? 'BOT' : 'END_USER' }));
    expect(await fixture.textsSeen(conversation)).toEqual(texts);
  });

  it.each<[MessageAuthor, readonly string[]]>([
    ['END_USER', ['END_USER']],
    ['BOT', ['BOT']],
    // Forwarded history: a remote may be unable to post as an agent or the system, but must never show such a message
    // as the end-user's.
    ['AGENT', ['AGENT', 'BOT', 'SYSTEM']],
    ['SYSTEM', ['SYSTEM', 'BOT']],
  ])('shows what %s said, readable and under the right name', async (author, takenFor) => {
    const conversation = await fixture.newConversation();
    await fixture.post(fixture.message(conversation, `said by ${author}`, { author, authorName: 'Nina' }));
    const [shown, ...rest] = await fixture.harness.agentSees(conversation);
    expect(rest).toEqual([]);
    expect(shown?.text).toContain(`said by ${author}`);
    expect(takenFor).toContain(shown?.author);
  });

  it.each<MessageAuthor>(['END_USER', 'BOT'])('never shows what is INTERNAL of %s in public', async author => {
    const conversation = await fixture.newConversation();
    const request = fixture.message(conversation, 'a suggestion', { author, visibility: 'INTERNAL' });
    if (fixture.capabilities.privateNotes) await fixture.post(request);
    else await expect(fixture.post(request)).rejects.toMatchObject({ code: 'UNSUPPORTED_BY_PROVIDER' });
    const shown = await fixture.harness.agentSees(conversation);
    expect(shown.map(message => message.visibility)).toEqual(fixture.capabilities.privateNotes ? ['INTERNAL'] : []);
  });

  it.each<[string, string]>([
    ['braces', 'Hello {{ contact.name }}, {% if x %} {{x}} {{{y}}} %} {#'],
    ['markdown', '# Title\n\n* one\n* **two** _three_ `code`\n\n> quoted [link](https://example.com)'],
    ['markup', '<b>bold</b> <script>alert(1)</script> &amp; "quotes" \'single\' \\backslash'],
    ['other scripts', 'Grüße 你好 שלום 👩‍👩‍👧 e\u0301'],
  ])('keeps %s as they were written', async (_what, text) => {
    const conversation = await fixture.newConversation();
    await fixture.post(fixture.message(conversation, text, { author: 'BOT' }));
    await fixture.post(fixture.message(conversation, text, { author: 'END_USER' }));
    expect(await fixture.textsSeen(conversation)).toEqual([text, text]);
  });

  it('accepts text up to the declared length', async () => {
    const conversation = await fixture.newConversation();
    const text =
      'long text '
        .repeat(Math.ceil(fixture.capabilities.maxTextLength / 10))
        .slice(0, fixture.capabilities.maxTextLength - 1) + '.';
    await fixture.post(fixture.message(conversation, text));
    expect((await fixture.textsSeen(conversation)).map(shown => shown === text)).toEqual([true]);
  });

  if (fixture.capabilities.privateNotes)
    it('shows a note once, to agents only', async () => {
      const conversation = await fixture.newConversation();
      const note = {
        conversation,
        noteId: `handoff:${randomUUID()}`,
        text: 'wants a refund',
        mayExist: false,
        lookupAfter: null,
      };
      const first = await fixture.provider.postNote(note, fixture.signal());
      await fixture.harness.restart();
      expect(await fixture.provider.postNote({ ...note, mayExist: true }, fixture.signal())).toBe(first);
      expect(
        (await fixture.harness.agentSees(conversation)).map(({ text, visibility }) => ({ text, visibility })),
      ).toEqual([{ text: 'wants a refund', visibility: 'INTERNAL' }]);
    });

  if (fixture.capabilities.attachments)
    it('shows the files of the end-user, by name, once', async () => {
      const conversation = await fixture.newConversation();
      const request = fixture.message(conversation, 'see this', {
        attachments: [postedFile(), postedFile('bill.pdf', 'application/pdf')],
      });
      const first = await fixture.post(request);
      await fixture.harness.restart();
      expect(await fixture.post({ ...request, mayExist: true })).toBe(first);
      expect((await fixture.harness.agentSees(conversation)).map(({ text, files }) => [text, files])).toEqual([
        ['see this', ['photo.png', 'bill.pdf']],
      ]);
    });

  it('writes into a resolved conversation without notifying agents', async () => {
    const conversation = await fixture.conversationWithAgents();
    await fixture.provider.resolve(conversation, fixture.signal());
    await fixture.post(fixture.message(conversation, 'one more thing'));
    await fixture.post(fixture.message(conversation, 'sure', { author: 'BOT' }));
    expect(['RESOLVED', 'BOT_HELD']).toContain((await fixture.harness.conversationState(conversation)).status);
    expect(await fixture.textsSeen(conversation)).toEqual(['one more thing', 'sure']);
  });
}
