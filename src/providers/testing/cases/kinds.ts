import { randomUUID } from 'node:crypto';
import type { ContentBody } from '../../../core/content';
import { plainTextOf } from '../../../core/content/plain-text';
import type { MessageAuthor, MessageVisibility } from '../../../core/message';
import { postedFile } from '../posted-file';
import type { ContractFixture } from '../contract-fixture';

const choice = (title: string) => ({ title, value: title.toLowerCase() });

/** One content of each kind, with all optional fields. */
export const CONTENTS: Readonly<Record<ContentBody['kind'], ContentBody>> = {
  LOCATION: { kind: 'LOCATION', latitude: 48.2082, longitude: 16.3738, title: 'Office', address: 'Stephansplatz 1' },
  CONTACT_CARD: {
    kind: 'CONTACT_CARD',
    name: 'Jane Doe',
    organization: 'Acme',
    phones: ['+43 1 234567'],
    emails: ['jane@acme.example'],
  },
  CHOICES: { kind: 'CHOICES', style: 'BUTTONS', items: [choice('Red {{ one }}'), choice('Blue')] },
  CARDS: {
    kind: 'CARDS',
    cards: [
      {
        title: 'Shoe',
        description: 'Fast',
        pictureUrl: 'https://a.example/s.png',
        actions: [
          { title: 'Buy', url: 'https://a.example/buy', value: null },
          { title: 'More', url: null, value: 'more-17' },
        ],
      },
      { title: 'Boot', description: null, pictureUrl: null, actions: [] },
    ],
  },
  FORM: {
    kind: 'FORM',
    fields: [
      { name: 'email', label: 'E-mail', type: 'EMAIL', isRequired: true, placeholder: 'you@example.com', options: [] },
      {
        name: 'size',
        label: 'Size',
        type: 'SELECT',
        isRequired: false,
        placeholder: null,
        options: [choice('Small'), choice('Large')],
      },
    ],
  },
};

export function kindCases(fixture: ContractFixture): void {
  const said = (body: ContentBody) => ({
    content: { ...body, caption: 'Look here:' },
    text: plainTextOf('Look here:', body),
  });

  describe.each<MessageAuthor>(['END_USER', 'BOT'])('of %s', author => {
    it.each(Object.entries(CONTENTS))('shows %s whole, once', async (_kind, body) => {
      const { text, content } = said(body);
      const request = fixture.message(await fixture.newConversation(), text, { author, content });
      const first = await fixture.post(request);
      await fixture.harness.restart();
      expect(await fixture.post({ ...request, mayExist: true })).toBe(first);
      expect(await fixture.textsSeen(request.conversation)).toEqual([text]);
      expect(
        (await fixture.listMessages(request.conversation)).observations.filter(found => found.kind !== 'ignored'),
      ).toEqual([{ kind: 'echo', id: first, ourId: request.message.id }]);
    });
  });

  if (fixture.capabilities.privateNotes)
    it.each(Object.entries(CONTENTS))('shows %s that is INTERNAL to agents only, whole', async (_kind, body) => {
      const { text, content } = said(body);
      const conversation = await fixture.newConversation();
      await fixture.post(fixture.message(conversation, text, { author: 'BOT', visibility: 'INTERNAL', content }));
      expect((await fixture.harness.agentSees(conversation)).map(shown => [shown.visibility, shown.text])).toEqual([
        ['INTERNAL', text],
      ]);
    });

  if (fixture.factory.skills.includes('deletesMessages')) deletionCases(fixture);
  else
    it('has no verb to delete a message', () => {
      expect(fixture.provider.deleteMessage).toBeUndefined();
    });
}

function deletionCases(fixture: ContractFixture): void {
  const takeBack = (request: ReturnType<ContractFixture['message']>, messageId: string) =>
    fixture.provider.deleteMessage!({ conversation: request.conversation, messageId }, fixture.signal());

  it.each<[MessageAuthor, MessageVisibility]>([
    ['END_USER', 'PUBLIC'],
    ['BOT', 'PUBLIC'],
    ...(fixture.capabilities.privateNotes ? [['BOT', 'INTERNAL'] as [MessageAuthor, MessageVisibility]] : []),
  ])('deletes what %s said in %s: the deletion is visible, the content is not', async (author, visibility) => {
    const files = fixture.capabilities.attachments ? [postedFile()] : [];
    const conversation = await fixture.newConversation();
    await fixture.post(fixture.message(conversation, 'before'));
    const request = fixture.message(conversation, 'a secret number', { author, visibility, attachments: files });
    const id = await fixture.post(request);
    await fixture.post(fixture.message(conversation, 'after'));
    await takeBack(request, id);
    await fixture.harness.restart();
    await takeBack(request, id);
    const shown = await fixture.harness.agentSees(conversation);
    expect(shown.map(one => one.text)).toEqual(['before', expect.not.stringContaining('secret'), 'after']);
    expect(shown.flatMap(one => one.files)).toEqual([]);
  });

  it('reports nothing new for a deleted message', async () => {
    const request = fixture.message(await fixture.newConversation(), 'never mind');
    const id = await fixture.post(request);
    await takeBack(request, id);
    const { observations } = await fixture.listMessages(request.conversation);
    const again = (await fixture.provider.readMessages?.(request.conversation, [id], fixture.signal())) ?? [];
    const kinds = [...observations, ...again].filter(found => found.id === id).map(found => found.kind);
    expect(kinds.filter(kind => kind !== 'echo' && kind !== 'ignored' && kind !== 'messageDeleted')).toEqual([]);
  });

  it('deletes nothing in another conversation', async () => {
    const [request, other] = [
      fixture.message(await fixture.newConversation(), 'stays'),
      fixture.message(await fixture.newConversation(), 'elsewhere'),
    ];
    const id = await fixture.post(request);
    await fixture.post(other);
    await takeBack(other, id).catch((error: unknown) => expect(error).toMatchObject({ code: 'PROVIDER_REFUSED' }));
    expect([await fixture.textsSeen(request.conversation), await fixture.textsSeen(other.conversation)]).toEqual([
      ['stays'],
      ['elsewhere'],
    ]);
  });

  if (fixture.factory.faults.includes('appliedThenCut'))
    it('deletes a message although the response was cut', async () => {
      const request = fixture.message(await fixture.newConversation(), `number ${randomUUID()}`);
      const id = await fixture.post(request);
      await fixture.harness.failNext('appliedThenCut');
      await expect(takeBack(request, id)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
      await takeBack(request, id);
      expect(await fixture.textsSeen(request.conversation)).toEqual([expect.not.stringContaining('number')]);
    });
}
