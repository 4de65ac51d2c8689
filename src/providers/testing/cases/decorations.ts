import { randomUUID } from 'node:crypto';
import type { ConversationAccess } from '../../../core/ports/provider/access';
import type { EndUser } from '../../../core/session';
import { postedFile } from '../posted-file';
import type { ContractFixture } from '../contract-fixture';

/** Names as channels deliver them. A remote may refuse each; none may prevent the conversation. */
const HARD_NAMES: readonly [what: string, name: string][] = [
  ['500 characters long', 'N'.repeat(500)],
  ['500 emoji long', '😀'.repeat(250)],
  ['of several lines', 'Eve\nNewline'],
  ['markup', '<b>Eve</b>'],
  ['one invisible character', '\u200b'],
];

/** Refused decorations must not cost the end-user's messages. */
export function decorationCases(fixture: ContractFixture): void {
  const begin = async (endUser: EndUser): Promise<ConversationAccess> => {
    const [inbox, sessionId] = [fixture.inbox, randomUUID()];
    const contactId = await fixture.provider.ensureContact(inbox, sessionId, endUser, fixture.signal());
    const conversationId = await fixture.provider.openConversation(
      { inbox, contactId, sessionId, mayExist: false },
      fixture.signal(),
    );
    return { inbox, contactId, conversationId, sessionId };
  };

  it.each(HARD_NAMES)('creates a conversation with somebody whose name is %s', async (_what, name) => {
    const conversation = await begin({ ...fixture.endUser(), name, email: 'no address', phone: 'no number' });
    await fixture.post(fixture.message(conversation, 'hello'));
    expect(await fixture.textsSeen(conversation)).toEqual(['hello']);
  });

  if (fixture.capabilities.attachments) {
    const long = (length: number) => 'Some words of it.\n'.repeat(Math.ceil(length / 18));

    it.each(['END_USER', 'BOT'] as const)(
      'shows the beginning of what %s says beyond the declared length, and all of it in a file',
      async author => {
        const conversation = await fixture.newConversation();
        const request = fixture.message(conversation, long(fixture.capabilities.maxTextLength + 1_000), { author });
        const first = await fixture.post(request);
        expect(await fixture.post({ ...request, mayExist: true })).toBe(first);
        const shown = await fixture.harness.agentSees(conversation);
        expect(shown.map(({ files }) => files)).toEqual([['message.txt']]);
        expect(shown[0]!.text).toMatch(
          /^(Some words of it\.\n)+\n?… Shortened: the whole text is in the attached file message\.txt\.$/,
        );
      },
    );

    if (fixture.capabilities.privateNotes)
      it('shows a note beyond the declared length, braces included, to agents only', async () => {
        const conversation = await fixture.newConversation();
        // Escaped for a template language, the text may become several times as long.
        const text = `{{contact.name}}\n${'{{x}} {% y %}\n'.repeat(fixture.capabilities.maxTextLength / 20)}`;
        await fixture.provider.postNote(
          { conversation, noteId: `handoff:${randomUUID()}`, text: text.repeat(2), mayExist: false, lookupAfter: null },
          fixture.signal(),
        );
        const shown = await fixture.harness.agentSees(conversation);
        expect(shown.map(({ files, visibility }) => [files, visibility])).toEqual([[['note.txt'], 'INTERNAL']]);
        expect(shown[0]!.text.startsWith('{{contact.name}}\n{{x}} {% y %}\n')).toBe(true);
      });

    it('shows the text of a message whose file name no file system accepts', async () => {
      const conversation = await fixture.newConversation();
      for (const name of [' ', '\t\n', '', '..', '/', 'x'.repeat(5_000), 'a\u0000b'])
        await fixture.post(
          fixture.message(conversation, `about ${JSON.stringify(name).slice(0, 20)}`, {
            attachments: [postedFile(name)],
          }),
        );
      const shown = await fixture.harness.agentSees(conversation);
      expect(shown).toHaveLength(7);
      for (const { text, files } of shown) expect([text, ...files].join()).toMatch(/file\.png|\.png|ab/);
    });
  }

  if (fixture.factory.skills.includes('updatesContacts')) contactCases(fixture, begin);
}

function contactCases(fixture: ContractFixture, begin: (endUser: EndUser) => Promise<ConversationAccess>): void {
  const nobody: EndUser = { externalId: null, name: null, email: null, phone: null, locale: null, attributes: {} };
  const update = ({ inbox, contactId, sessionId }: ConversationAccess, before: EndUser | null, endUser: EndUser) =>
    fixture.provider.updateContact!({ inbox, contactId, sessionId, before, endUser }, fixture.signal());
  const seen = (conversation: ConversationAccess) => fixture.harness.contactSeen!(conversation);

  it('stores what was learned of an end-user, and a repeat changes nothing', async () => {
    const conversation = await begin(nobody);
    const email = `${randomUUID()}@users.example`;
    const learned = {
      ...nobody,
      name: 'Eve',
      email,
      phone: `+1555${String(Date.now()).slice(-7)}`,
      attributes: { plan: 'gold' },
    };
    for (const _repeat of [1, 2]) expect(await update(conversation, nobody, learned)).toEqual([]);
    expect(await seen(conversation)).toMatchObject({
      name: 'Eve',
      email,
      phone: learned.phone,
      attributes: { plan: 'gold' },
    });
    expect(
      await update(conversation, learned, { ...learned, name: 'Eve Newname', attributes: { plan: 'silver' } }),
    ).toEqual([]);
    expect(await seen(conversation)).toMatchObject({ name: 'Eve Newname', email, attributes: { plan: 'silver' } });
  });

  it('keeps what agents have changed there since', async () => {
    const known = { ...nobody, name: 'Eve', attributes: { plan: 'gold' } };
    const conversation = await begin(known);
    await fixture.harness.renamesContact!(conversation, 'Eve (the good one)');
    await update(conversation, known, {
      ...known,
      name: 'Eva',
      phone: `+1556${String(Date.now()).slice(-7)}`,
      attributes: { plan: 'silver' },
    });
    expect(await seen(conversation)).toMatchObject({
      name: 'Eve (the good one)',
      phone: expect.stringMatching(/^\+1556/),
      attributes: { plan: 'silver' },
    });
  });

  it('fills only empty fields when it is unknown what was written before', async () => {
    const conversation = await begin({ ...nobody, name: 'Eve' });
    const email = `${randomUUID()}@users.example`;
    await update(conversation, null, { ...nobody, name: 'Somebody else', email });
    expect(await seen(conversation)).toMatchObject({ name: 'Eve', email });
  });
}
