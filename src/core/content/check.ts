import { cleanText } from '../checks/text';
import { addressProblem } from '../checks/url';
import { InvalidInputError } from '../errors';
import { checkedCaption, checkedText, type Attachment } from '../message';
import type { Card, CardAction, Choice, ContentBody, FormField, MessageContent } from '../content';
import { wordsOf } from './words';

/** The limits of structured content. Lengths are in UTF-16 code units. */
export const CONTENT_LIMITS = {
  title: 200, name: 100, address: 500, phone: 50, email: 254, value: 1_000, description: 2_000, url: 2_000,
  addresses: 10, choices: 30, cards: 20, actions: 5, fields: 30,
} as const;
type Limit = keyof typeof CONTENT_LIMITS;

/**
 * Validates a message's text and content and returns them as they are stored: the whole message as plain text, and the
 * structured content if given. The caller's text has the limit of a text, and content has the limits of its fields. The
 * combined plain text may exceed the limit of a text and is never refused for that.
 * @throws InvalidInputError INPUT_INVALID naming the field, or the error of the text
 */
export function checkedTurn(caption: string, body: ContentBody | null | undefined, attachments: readonly Attachment[]): { readonly text: string; readonly content: MessageContent | null } {
  if (body === null || body === undefined) return { text: checkedText(caption, attachments, 'text'), content: null };
  const content = { ...checkedBody(body), caption: checkedCaption(caption, attachments, 'text') };
  return { text: wordsOf(content.caption, content), content };
}

function checkedBody(body: ContentBody): ContentBody {
  switch (body.kind) {
    case 'LOCATION': return {
      kind: body.kind, latitude: degrees(body.latitude, 90, 'content.location.latitude'), longitude: degrees(body.longitude, 180, 'content.location.longitude'),
      title: optional(body.title, 'title', 'content.location.title'), address: optional(body.address, 'address', 'content.location.address'),
    };
    case 'CONTACT_CARD': return {
      kind: body.kind, name: required(body.name, 'title', 'content.contact.name'), organization: optional(body.organization, 'title', 'content.contact.organization'),
      phones: listed(body.phones, 0, 'addresses', 'content.contact.phones', (phone, field) => required(phone, 'phone', field)),
      emails: listed(body.emails, 0, 'addresses', 'content.contact.emails', (email, field) => required(email, 'email', field)),
    };
    case 'CHOICES': return { kind: body.kind, style: body.style, items: listed(body.items, 1, 'choices', 'content.choices.items', checkedChoice) };
    case 'CARDS': return { kind: body.kind, cards: listed(body.cards, 1, 'cards', 'content.cards', checkedCard) };
    case 'FORM': return { kind: body.kind, fields: unique(listed(body.fields, 1, 'fields', 'content.form.fields', checkedField)) };
  }
}

const checkedChoice = ({ title, value }: Choice, field: string): Choice =>
  ({ title: required(title, 'title', `${field}.title`), value: required(value, 'value', `${field}.value`) });

const checkedCard = ({ title, description, pictureUrl, actions }: Card, field: string): Card => ({
  title: required(title, 'title', `${field}.title`), description: optional(description, 'description', `${field}.description`),
  pictureUrl: pictureUrl === null ? null : checkedUrl(pictureUrl, `${field}.pictureUrl`),
  actions: listed(actions, 0, 'actions', `${field}.actions`, checkedAction),
});

function checkedAction({ title, url, value }: CardAction, field: string): CardAction {
  if ((url === null) === (value === null)) throw invalid(field, 'An action has either a url or a value.');
  return {
    title: required(title, 'title', `${field}.title`), url: url === null ? null : checkedUrl(url, `${field}.url`), value: optional(value, 'value', `${field}.value`),
  };
}

function checkedField({ name, label, type, isRequired, placeholder, options }: FormField, field: string): FormField {
  if (type !== 'SELECT' && options.length > 0) throw invalid(`${field}.options`, 'Only a SELECT has options.');
  return {
    name: required(name, 'name', `${field}.name`), label: required(label, 'title', `${field}.label`), type, isRequired,
    placeholder: optional(placeholder, 'title', `${field}.placeholder`),
    options: listed(options, type === 'SELECT' ? 1 : 0, 'choices', `${field}.options`, checkedChoice),
  };
}

function unique(fields: readonly FormField[]): readonly FormField[] {
  const at = fields.findIndex(({ name }, index) => fields.findIndex((one) => one.name === name) < index);
  if (at >= 0) throw invalid(`content.form.fields.${at}.name`, 'Two fields of the form have this name; each needs its own.');
  return fields;
}

const invalid = (field: string, message: string) => new InvalidInputError('INPUT_INVALID', field, message);

function degrees(value: number, most: number, field: string): number {
  if (!Number.isFinite(value) || Math.abs(value) > most) throw invalid(field, `${field} takes degrees from -${most} to ${most}.`);
  return value;
}

function required(text: string, limit: Limit, field: string): string {
  const clean = optional(text, limit, field);
  if (clean === null || clean.trim() === '') throw invalid(field, `${field} is empty; give 1 to ${CONTENT_LIMITS[limit]} characters.`);
  return clean;
}

function optional(text: string | null, limit: Limit, field: string): string | null {
  if (text !== null && text.length > CONTENT_LIMITS[limit]) throw invalid(field, `${field} has ${text.length} characters; at most ${CONTENT_LIMITS[limit]} fit.`);
  return text === null ? null : cleanText(text);
}

function listed<One, Checked>(items: readonly One[], least: 0 | 1, limit: Limit, field: string, check: (one: One, field: string) => Checked): readonly Checked[] {
  if (items.length < least || items.length > CONTENT_LIMITS[limit])
    throw invalid(field, `${field} has ${items.length} entries; give ${least} to ${CONTENT_LIMITS[limit]}.`);
  return items.map((one, at) => check(one, `${field}.${at}`));
}

/**
 * Validates and returns an address that a person may follow.
 * @throws InvalidInputError INPUT_INVALID unless it is a usable web address
 */
export function checkedUrl(url: string, field: string): string {
  const clean = required(url, 'url', field);
  const problem = addressProblem(clean, 'link');
  if (problem !== null) throw invalid(field, `${field}: ${problem}`);
  return clean;
}
