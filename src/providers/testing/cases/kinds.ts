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

export function kindCases(stage: ContractFixture): void {
  const said = (body: ContentBody) => ({
    content: { ...body, caption: 'Look here:' },
    text: plainTextOf('Look here:', body),
  });

  describe.each<MessageAuthor>(['END_USER', 'BOT'])('of %s', author => {
    it.each(Object.entries(CONTENTS))('shows %s whole, once', async (_kind, body) => {
      const { text, content } = said(body);
      const request = stage.message(await stage.newConversation(), text, { author, content });
      const first = await stage.post(request);
      await stage.harness.restart();
      expect(await stage.post({ ...request, mayExist: true })).toBe(first);
      expect(await stage.textsSeen(request.conversation)).toEqual([text]);
      expect(
        (await stage.listMessages(request.conversation)).observations.filter(found => found.kind !== 'ignored'),
      ).toEqual([{ kind: 'echo', id: first, ourId: request.message.id }]);
    });
  });

  if (stage.capabilities.privateNotes)
    it.each(Object.entries(CONTENTS))('shows %s that is INTERNAL to agents only, whole', async (_kind, body) => {
      const { text, content } = said(body);
      const conversation = await stage.newConversation();
      await stage.post(stage.message(conversation, text, { author: 'BOT', visibility: 'INTERNAL', content }));
      expect((await stage.harness.agentSees(conversation)).map(shown => [shown.visibility, shown.text])).toEqual([
        ['INTERNAL', text],
      ]);
    });

  if (stage.factory.skills.includes('deletesMessages')) deletionCases(stage);
  else
    it('has no verb to take a message back', () => {
      expect(stage.provider.deleteMessage).toBeUndefined();
    });
}

function deletionCases(stage: ContractFixture): void {
  const takeBack = (request: ReturnType<ContractFixture['message']>, messageId: string) =>
    stage.provider.deleteMessage!({ conversation: request.conversation, messageId }, stage.signal());

  it.each<[MessageAuthor, MessageVisibility]>([
    ['END_USER', 'PUBLIC'],
    ['BOT', 'PUBLIC'],
    ...(stage.capabilities.privateNotes ? [['BOT', 'INTERNAL'] as [MessageAuthor, MessageVisibility]] : []),
  ])(
    'takes back what %s said in %s: that something was there stays to be seen, what it was does not',
    async (author, visibility) => {
      const files = stage.capabilities.attachments ? [postedFile()] : [];
      const conversation = await stage.newConversation();
      await stage.post(stage.message(conversation, 'before'));
      const request = stage.message(conversation, 'a secret number', { author, visibility, attachments: files });
      const id = await stage.post(request);
      await stage.post(stage.message(conversation, 'after'));
      await takeBack(request, id);
      await stage.harness.restart();
      await takeBack(request, id);
      const shown = await stage.harness.agentSees(conversation);
      expect(shown.map(one => one.text)).toEqual(['before', expect.not.stringContaining('secret'), 'after']);
      expect(shown.flatMap(one => one.files)).toEqual([]);
    },
  );

  it('has nothing new to read of what was taken back', async () => {
    const request = stage.message(await stage.newConversation(), 'never mind');
    const id = await stage.post(request);
    await takeBack(request, id);
    const { observations } = await stage.listMessages(request.conversation);
    const again = (await stage.provider.readMessages?.(request.conversation, [id], stage.signal())) ?? [];
    const kinds = [...observations, ...again].filter(found => found.id === id).map(found => found.kind);
    expect(kinds.filter(kind => kind !== 'echo' && kind !== 'ignored' && kind !== 'messageDeleted')).toEqual([]);
  });

  it('takes nothing back in another conversation', async () => {
    const [request, other] = [
      stage.message(await stage.newConversation(), 'stays'),
      stage.message(await stage.newConversation(), 'elsewhere'),
    ];
    const id = await stage.post(request);
    await stage.post(other);
    await takeBack(other, id).catch((error: unknown) => expect(error).toMatchObject({ code: 'PROVIDER_REFUSED' }));
    expect([await stage.textsSeen(request.conversation), await stage.textsSeen(other.conversation)]).toEqual([
      ['stays'],
      ['elsewhere'],
    ]);
  });

  if (stage.factory.faults.includes('appliedThenCut'))
    it('takes a message back although the answer was cut', async () => {
      const request = stage.message(await stage.newConversation(), `number ${randomUUID()}`);
      const id = await stage.post(request);
      await stage.harness.failNext('appliedThenCut');
      await expect(takeBack(request, id)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
      await takeBack(request, id);
      expect(await stage.textsSeen(request.conversation)).toEqual([expect.not.stringContaining('number')]);
    });
}
