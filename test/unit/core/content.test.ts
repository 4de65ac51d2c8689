import type { ContentBody, FormField } from '../../../src/core/content';
import { validateMessageContent, CONTENT_LIMITS } from '../../../src/core/content/validate-content';
import { plainTextOf } from '../../../src/core/content/plain-text';
import { MAX_ATTACHMENTS, MAX_TEXT_LENGTH } from '../../../src/core/message';

const location = {
  kind: 'LOCATION',
  latitude: 48.2,
  longitude: 16.4,
  title: null,
  address: null,
} as const satisfies ContentBody;
const contact = {
  kind: 'CONTACT_CARD',
  name: 'Jane',
  organization: null,
  phones: [],
  emails: [],
} as const satisfies ContentBody;
const choices = {
  kind: 'CHOICES',
  style: 'BUTTONS',
  items: [{ title: 'Red', value: 'r' }],
} as const satisfies ContentBody;
const card = { title: 'Shoe', description: null, pictureUrl: null, actions: [] };
const cards = { kind: 'CARDS', cards: [card] } as const satisfies ContentBody;
const field: FormField = {
  name: 'email',
  label: 'E-mail',
  type: 'TEXT',
  isRequired: false,
  placeholder: null,
  options: [],
};
const form = (...fields: FormField[]): ContentBody => ({ kind: 'FORM', fields });
const action = { title: 'Buy', url: null, value: 'buy' };
const many = <One>(count: number, one: (at: number) => One): One[] => Array.from({ length: count }, (_, at) => one(at));
const file = { url: 'https://a.example/a.png', name: 'a.png', contentType: 'image/png', sizeBytes: null };
const long = (limit: keyof typeof CONTENT_LIMITS) => 'x'.repeat(CONTENT_LIMITS[limit] + 1);

describe('plain text of content', () => {
  it.each<[string, ContentBody, string]>([
    ['a place', location, 'Location: https://www.openstreetmap.org/?mlat=48.2&mlon=16.4'],
    [
      'a named place',
      { ...location, title: 'Office', address: 'Ring 1' },
      'Office, Ring 1: https://www.openstreetmap.org/?mlat=48.2&mlon=16.4',
    ],
    [
      'a contact',
      { ...contact, organization: 'Acme', phones: ['+43 1'], emails: ['j@acme.example'] },
      'Contact: Jane, Acme\n+43 1\nj@acme.example',
    ],
    [
      'choices',
      {
        ...choices,
        items: [
          { title: 'Red', value: 'r' },
          { title: 'Blue', value: 'b' },
        ],
      },
      '1. Red\n2. Blue',
    ],
    [
      'cards',
      {
        ...cards,
        cards: [
          {
            ...card,
            description: 'Fast',
            pictureUrl: 'https://a.example/s.png',
            actions: [{ title: 'Buy', url: 'https://a.example', value: null }, action],
          },
          card,
        ],
      },
      'Shoe\nFast\nhttps://a.example/s.png\n- Buy: https://a.example\n- Buy (buy)\n\nShoe',
    ],
    [
      'a form',
      form(field, {
        ...field,
        name: 'size',
        label: 'Size',
        type: 'SELECT',
        options: [
          { title: 'S', value: 's' },
          { title: 'L', value: 'l' },
        ],
      }),
      'E-mail: …\nSize: S / L',
    ],
  ])('of %s can be read and answered', (_what, body, text) => {
    expect(plainTextOf('', body)).toBe(text);
    expect(plainTextOf('Here:', body)).toBe(`Here:\n${text}`);
  });
});

describe('a message with content', () => {
  it('keeps the whole content as plain text after its own text', () => {
    expect(validateMessageContent('Which?', choices, [])).toEqual({
      text: 'Which?\n1. Red',
      content: { ...choices, caption: 'Which?' },
    });
    expect(validateMessageContent('', location, []).text).toContain('openstreetmap');
    expect(validateMessageContent('only words', undefined, [])).toEqual({ text: 'only words', content: null });
  });

  it('drops NUL everywhere, because it cannot be stored', () => {
    expect(
      JSON.stringify(validateMessageContent('a\u0000', { ...contact, name: 'J\u0000ane', phones: ['\u00001'] }, [])),
    ).not.toContain('\\u0000');
  });

  it("is too long only because of the caller's own text: content within its limits does not count", () => {
    const words = 'x'.repeat(MAX_TEXT_LENGTH);
    expect(validateMessageContent(words, choices, []).text).toBe(`${words}\n1. Red`);
    expect(() => validateMessageContent(`${words}x`, choices, [])).toThrow(
      expect.objectContaining({ code: 'TEXT_TOO_LONG', field: 'text' }),
    );
    expect(() =>
      validateMessageContent(
        '',
        choices,
        many(MAX_ATTACHMENTS + 1, () => file),
      ),
    ).toThrow(expect.objectContaining({ code: 'TOO_MANY_ATTACHMENTS' }));
  });

  const text = (limit: keyof typeof CONTENT_LIMITS) => 'x'.repeat(CONTENT_LIMITS[limit]);
  const url = `https://a.example/${'x'.repeat(CONTENT_LIMITS.url - 'https://a.example/'.length)}`;
  const options = many(CONTENT_LIMITS.choices, at => ({ title: text('title'), value: `${at}` }));
  it.each<[string, ContentBody, string]>([
    [
      'cards',
      {
        ...cards,
        cards: many(CONTENT_LIMITS.cards, at => ({
          title: `Card ${at}`,
          description: text('description'),
          pictureUrl: url,
          actions: many(CONTENT_LIMITS.actions, () => ({ title: text('title'), url, value: null })),
        })),
      },
      'Card 19\n',
    ],
    [
      'a form',
      form(
        ...many(CONTENT_LIMITS.fields, at => ({
          ...field,
          name: `f${at}`,
          label: `Field ${at}`,
          type: 'SELECT' as const,
          options,
        })),
      ),
      'Field 29: ',
    ],
  ])('renders the longest content as complete plain text: %s', (_what, body, last) => {
    const message = validateMessageContent('Which?', body, []);
    expect(message.text.length).toBeGreaterThan(MAX_TEXT_LENGTH);
    expect(message.text).toBe(plainTextOf('Which?', body));
    expect(message.text).toContain(last);
  });

  it('accepts each field up to its limit', () => {
    const value = 'v'.repeat(CONTENT_LIMITS.value);
    expect(() =>
      validateMessageContent(
        '',
        { ...choices, items: many(CONTENT_LIMITS.choices, () => ({ title: 'x'.repeat(CONTENT_LIMITS.title), value })) },
        [],
      ),
    ).not.toThrow();
    expect(() =>
      validateMessageContent('', form(...many(CONTENT_LIMITS.fields, at => ({ ...field, name: `f${at}` }))), []),
    ).not.toThrow();
    expect(() => validateMessageContent('', { ...location, latitude: -90, longitude: 180 }, [])).not.toThrow();
  });

  it.each<[string, ContentBody]>([
    ['content.location.latitude', { ...location, latitude: 90.1 }],
    ['content.location.longitude', { ...location, longitude: Number.NaN }],
    ['content.location.title', { ...location, title: long('title') }],
    ['content.location.address', { ...location, address: long('address') }],
    ['content.contact.name', { ...contact, name: ' ' }],
    ['content.contact.organization', { ...contact, organization: long('title') }],
    ['content.contact.phones', { ...contact, phones: many(CONTENT_LIMITS.addresses + 1, () => '1') }],
    ['content.contact.phones.1', { ...contact, phones: ['1', ''] }],
    ['content.contact.emails.0', { ...contact, emails: [long('email')] }],
    ['content.choices.items', { ...choices, items: [] }],
    ['content.choices.items', { ...choices, items: many(CONTENT_LIMITS.choices + 1, () => choices.items[0]) }],
    ['content.choices.items.0.title', { ...choices, items: [{ title: '', value: 'r' }] }],
    ['content.choices.items.0.value', { ...choices, items: [{ title: 'Red', value: long('value') }] }],
    ['content.cards', { ...cards, cards: [] }],
    ['content.cards.0.title', { ...cards, cards: [{ ...card, title: long('title') }] }],
    ['content.cards.1.description', { ...cards, cards: [card, { ...card, description: long('description') }] }],
    ['content.cards.0.pictureUrl', { ...cards, cards: [{ ...card, pictureUrl: 'file:///etc/passwd' }] }],
    [
      'content.cards.0.actions',
      { ...cards, cards: [{ ...card, actions: many(CONTENT_LIMITS.actions + 1, () => action) }] },
    ],
    [
      'content.cards.0.actions.0',
      { ...cards, cards: [{ ...card, actions: [{ ...action, url: 'https://a.example' }] }] },
    ],
    ['content.cards.0.actions.0', { ...cards, cards: [{ ...card, actions: [{ ...action, value: null }] }] }],
    [
      'content.cards.0.actions.0.url',
      { ...cards, cards: [{ ...card, actions: [{ title: 'Go', url: 'javascript:alert(1)', value: null }] }] },
    ],
    [
      'content.cards.0.actions.0.url',
      { ...cards, cards: [{ ...card, actions: [{ title: 'Go', url: 'https://a.example/ b', value: null }] }] },
    ],
    ['content.form.fields', form()],
    ['content.form.fields.0.name', form({ ...field, name: long('name') })],
    ['content.form.fields.1.name', form(field, field)],
    ['content.form.fields.0.label', form({ ...field, label: '' })],
    ['content.form.fields.0.placeholder', form({ ...field, placeholder: long('title') })],
    ['content.form.fields.0.options', form({ ...field, type: 'SELECT' })],
    ['content.form.fields.0.options', form({ ...field, options: [{ title: 'S', value: 's' }] })],
  ])('names the field that exceeds its limit: %s', (name, body) => {
    expect(() => validateMessageContent('', body, [])).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', field: name }),
    );
  });
});
