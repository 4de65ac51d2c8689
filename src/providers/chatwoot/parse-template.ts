import type { Card, Choice, ContentBody, FormField, FormFieldType } from '../../core/content';
import type { WireMessage } from './wire';

type Item = Readonly<Record<string, unknown>>;
const itemsOf = (value: unknown): readonly Item[] =>
  Array.isArray(value) ? value.filter((item): item is Item => typeof item === 'object' && item !== null) : [];
const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
const textOrNull = (value: unknown): string | null => textOf(value) || null;

/**
 * Parses choices, cards and forms, whose items Chatwoot stores unchanged. Null if the message is none of these or has
 * no items.
 */
export function parseTemplate({ content_type: kind, content_attributes: attributes }: WireMessage): ContentBody | null {
  const items = itemsOf(attributes?.['items']);
  if (items.length === 0) return null;
  switch (kind) {
    case 'input_select':
      return { kind: 'CHOICES', style: 'BUTTONS', items: items.map(({ title, value }) => choiceOf(title, value)) };
    case 'cards':
      return { kind: 'CARDS', cards: items.map(cardOf) };
    case 'form':
      return { kind: 'FORM', fields: items.map(fieldOf) };
    default:
      return null;
  }
}

/** Returns an article message as text: each article's title, description and link. */
export function articleText({ content_type: kind, content_attributes: attributes }: WireMessage): string {
  if (kind !== 'article') return '';
  return itemsOf(attributes?.['items'])
    .map(({ title, description, link }) =>
      [textOf(title), textOf(description), textOf(link)].filter(line => line !== '').join('\n'),
    )
    .join('\n\n');
}

const choiceOf = (title: unknown, value: unknown): Choice => ({
  title: textOf(title) || textOf(value),
  value: textOf(value) || textOf(title),
});

const cardOf = ({ title, description, media_url: picture, actions }: Item): Card => ({
  title: textOf(title),
  description: textOrNull(description),
  pictureUrl: textOrNull(picture),
  actions: itemsOf(actions).map(({ text, uri, payload }) => ({
    title: textOf(text),
    url: textOrNull(uri),
    value: textOf(uri) ? null : textOrNull(payload),
  })),
});

const FIELD_TYPES: Readonly<Record<string, FormFieldType>> = {
  text_area: 'LONG_TEXT',
  email: 'EMAIL',
  select: 'SELECT',
};

function fieldOf({ name, label, type, required, placeholder, options }: Item): FormField {
  const offered = itemsOf(options).map(one => choiceOf(one['label'], one['value']));
  return {
    name: textOf(name),
    label: textOf(label) || textOf(name),
    type: offered.length > 0 ? 'SELECT' : (FIELD_TYPES[textOf(type)] ?? 'TEXT'),
    isRequired: required === true || textOf(required) === 'required',
    placeholder: textOrNull(placeholder),
    options: offered,
  };
}
