import { randomUUID } from 'node:crypto';
import type { MessageAuthor } from '../../../core/message';
import { postedFile } from '../posted-file';
import type { ContractFixture } from '../contract-fixture';

export function speakCases(stage: ContractFixture): void {
  it('gives one contact to one session, also after a restart', async () => {
    const sessionId = randomUUID();
    const first = await stage.provider.ensureContact(stage.inbox, sessionId, stage.endUser(), stage.signal());
    const before = await stage.harness.census();
    await stage.harness.restart();
    expect(await stage.provider.ensureContact(stage.inbox, sessionId, stage.endUser(), stage.signal())).toBe(first);
    expect(await stage.harness.census()).toEqual(before);
  });

  it('gives one contact to one session when eight ask at once', async () => {
    const sessionId = randomUUID();
    const endUser = stage.endUser();
    const contacts = await Promise.all(
      Array.from({ length: 8 }, () => stage.provider.ensureContact(stage.inbox, sessionId, endUser, stage.signal())),
    );
    expect(new Set(contacts).size).toBe(1);
  });

  it('opens a conversation that the bot holds', async () => {
    const conversation = await stage.newConversation();
    expect(await stage.harness.conversationState(conversation)).toEqual({
      status: 'BOT_HELD',
      agentId: null,
      teamId: null,
      priority: null,
    });
  });

  it('answers the first conversation when one may exist', async () => {
    const { inbox, contactId, sessionId, conversationId } = await stage.newConversation();
    const before = await stage.harness.census();
    await stage.harness.restart();
    expect(await stage.provider.openConversation({ inbox, contactId, sessionId, mayExist: true }, stage.signal())).toBe(
      conversationId,
    );
    expect(await stage.harness.census()).toEqual(before);
  });

  it('keeps the conversations of two sessions apart', async () => {
    const [one, other] = [await stage.newConversation(), await stage.newConversation()];
    expect(one.conversationId).not.toBe(other.conversationId);
    await stage.post(stage.message(one, 'only here'));
    expect(await stage.textsSeen(other)).toEqual([]);
  });

  it('shows a message once when posted twice under one id', async () => {
    const request = stage.message(await stage.newConversation(), 'hello');
    const first = await stage.post(request);
    expect(await stage.post({ ...request, mayExist: true })).toBe(first);
    expect(await stage.textsSeen(request.conversation)).toEqual(['hello']);
  });

  it('shows a message once when posted again after a restart, from a known place on', async () => {
    const conversation = await stage.newConversation();
    const lookupAfter = await stage.post(stage.message(conversation, 'earlier'));
    const request = { ...stage.message(conversation, 'hello', { author: 'BOT' }), lookupAfter: lookupAfter };
    const first = await stage.post(request);
    await stage.post(stage.message(conversation, 'later'));
    await stage.harness.restart();
    expect(await stage.post({ ...request, mayExist: true })).toBe(first);
    expect(await stage.textsSeen(conversation)).toEqual(['earlier', 'hello', 'later']);
  });

  it('posts a message that may exist and does not', async () => {
    const request = stage.message(await stage.newConversation(), 'never arrived before');
    await stage.post({ ...request, mayExist: true });
    expect(await stage.textsSeen(request.conversation)).toEqual(['never arrived before']);
  });

  it('shows two messages of the same text as two', async () => {
    const conversation = await stage.newConversation();
    await stage.post(stage.message(conversation, 'same'));
    await stage.post({ ...stage.message(conversation, 'same'), mayExist: true });
    expect(await stage.textsSeen(conversation)).toEqual(['same', 'same']);
  });

  it('keeps the order in which messages were posted', async () => {
    const conversation = await stage.newConversation();
    const texts = Array.from({ length: 12 }, (_, index) => `line ${index}`);
    for (const [index, text] of texts.entries())
      await stage.post(stage.message(conversation, text, { author: index % 2 ? 'BOT' : 'END_USER' }));
    expect(await stage.textsSeen(conversation)).toEqual(texts);
  });

  it.each<[MessageAuthor, readonly string[]]>([
    ['END_USER', ['END_USER']],
    ['BOT', ['BOT']],
    // Forwarded history: a remote may be unable to post as an agent or the system, but must never show such a message
    // as the end-user's.
    ['AGENT', ['AGENT', 'BOT', 'SYSTEM']],
    ['SYSTEM', ['SYSTEM', 'BOT']],
  ])('shows what %s said, readable and not as somebody else', async (author, takenFor) => {
    const conversation = await stage.newConversation();
    await stage.post(stage.message(conversation, `said by ${author}`, { author, authorName: 'Nina' }));
    const [shown, ...rest] = await stage.harness.agentSees(conversation);
    expect(rest).toEqual([]);
    expect(shown?.text).toContain(`said by ${author}`);
    expect(takenFor).toContain(shown?.author);
  });

  it.each<MessageAuthor>(['END_USER', 'BOT'])('never shows what is INTERNAL of %s in public', async author => {
    const conversation = await stage.newConversation();
    const request = stage.message(conversation, 'a suggestion', { author, visibility: 'INTERNAL' });
    if (stage.capabilities.privateNotes) await stage.post(request);
    else await expect(stage.post(request)).rejects.toMatchObject({ code: 'UNSUPPORTED_BY_PROVIDER' });
    const shown = await stage.harness.agentSees(conversation);
    expect(shown.map(message => message.visibility)).toEqual(stage.capabilities.privateNotes ? ['INTERNAL'] : []);
  });

  it.each<[string, string]>([
    ['braces', 'Hello {{ contact.name }}, {% if x %} {{x}} {{{y}}} %} {#'],
    ['markdown', '# Title\n\n* one\n* **two** _three_ `code`\n\n> quoted [link](https://example.com)'],
    ['markup', '<b>bold</b> <script>alert(1)</script> &amp; "quotes" \'single\' \\backslash'],
    ['other scripts', 'Grüße 你好 שלום 👩‍👩‍👧 e\u0301'],
  ])('keeps %s as they were written', async (_what, text) => {
    const conversation = await stage.newConversation();
    await stage.post(stage.message(conversation, text, { author: 'BOT' }));
    await stage.post(stage.message(conversation, text, { author: 'END_USER' }));
    expect(await stage.textsSeen(conversation)).toEqual([text, text]);
  });

  it('takes text up to the declared length', async () => {
    const conversation = await stage.newConversation();
    const text =
      'long text '
        .repeat(Math.ceil(stage.capabilities.maxTextLength / 10))
        .slice(0, stage.capabilities.maxTextLength - 1) + '.';
    await stage.post(stage.message(conversation, text));
    expect((await stage.textsSeen(conversation)).map(shown => shown === text)).toEqual([true]);
  });

  if (stage.capabilities.privateNotes)
    it('shows a note once, to agents only', async () => {
      const conversation = await stage.newConversation();
      const note = {
        conversation,
        noteId: `handoff:${randomUUID()}`,
        text: 'wants a refund',
        mayExist: false,
        lookupAfter: null,
      };
      const first = await stage.provider.postNote(note, stage.signal());
      await stage.harness.restart();
      expect(await stage.provider.postNote({ ...note, mayExist: true }, stage.signal())).toBe(first);
      expect(
        (await stage.harness.agentSees(conversation)).map(({ text, visibility }) => ({ text, visibility })),
      ).toEqual([{ text: 'wants a refund', visibility: 'INTERNAL' }]);
    });

  if (stage.capabilities.attachments)
    it('shows the files of the end-user, by name, once', async () => {
      const conversation = await stage.newConversation();
      const request = stage.message(conversation, 'see this', {
        attachments: [postedFile(), postedFile('bill.pdf', 'application/pdf')],
      });
      const first = await stage.post(request);
      await stage.harness.restart();
      expect(await stage.post({ ...request, mayExist: true })).toBe(first);
      expect((await stage.harness.agentSees(conversation)).map(({ text, files }) => [text, files])).toEqual([
        ['see this', ['photo.png', 'bill.pdf']],
      ]);
    });

  it('writes into a resolved conversation without calling people', async () => {
    const conversation = await stage.conversationWithAgents();
    await stage.provider.resolve(conversation, stage.signal());
    await stage.post(stage.message(conversation, 'one more thing'));
    await stage.post(stage.message(conversation, 'sure', { author: 'BOT' }));
    expect(['RESOLVED', 'BOT_HELD']).toContain((await stage.harness.conversationState(conversation)).status);
    expect(await stage.textsSeen(conversation)).toEqual(['one more thing', 'sure']);
  });
}
