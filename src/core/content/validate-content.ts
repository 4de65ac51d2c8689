import { cleanText } from '../checks/text';
import { addressProblem } from '../checks/url';
import { InvalidInputError } from '../errors';
import { checkedCaption, validateText, type Attachment } from '../message';
import type { Card, CardAction, Choice, ContentBody, FormField, MessageContent } from '../content';
import { plainTextOf } from './plain-text';

/** The limits of structured content. Lengths are in UTF-16 code units. */
export const CONTENT_LIMITS = {
  title: 200,
  name: 100,
  address: 500,
  phone: 50,
  email: 254,
  value: 1_000,
  description: 2_000,
  url: 2_000,
  addresses: 10,
  choices: 30,
  cards: 20,
  actions: 5,
  fields: 30,
} as const;
type Limit = keyof typeof CONTENT_LIMITS;

/**
 * Validates a message's text and content and returns them as they are stored: the whole message as plain text, and the
 * structured content if given. The caller's text has the limit of a text, and content has the limits of its fields. The
 * combined plain text may exceed the limit of a text and is never refused for that.
 * @throws InvalidInputError INPUT_INVALID naming the field, or the error of the text
 */
export function validateMessageContent(
  caption: string,
  body: ContentBody | null | undefined,
  attachments: readonly Attachment[],
): { readonly text: string; readonly content: MessageContent | null } {
  if (body === null || body === undefined) return { text: validateText(caption, attachments, 'text'), content: null };
  const content = { ...validateBody(body), caption: checkedCaption(caption, attachments, 'text') };
  return { text: plainTextOf(content.caption, content), content };
}

function validateBody(body: ContentBody): ContentBody {
  switch (body.kind) {
    case 'LOCATION':
      return {
        kind: body.kind,
        latitude: validateDegrees(body.latitude, 90, 'content.location.latitude'),
        longitude: validateDegrees(body.longitude, 180, 'content.location.longitude'),
        title: validateOptionalText(body.title, 'title', 'content.location.title'),
        address: validateOptionalText(body.address, 'address', 'content.location.address'),
      };
    case 'CONTACT_CARD':
      return {
        kind: body.kind,
        name: requireText(body.name, 'title', 'content.contact.name'),
        organization: validateOptionalText(body.organization, 'title', 'content.contact.organization'),
        phones: validateList(body.phones, 0, 'addresses', 'content.contact.phones', (phone, field) =>
          requireText(phone, 'phone', field),
        ),
        emails: validateList(body.emails, 0, 'addresses', 'content.contact.emails', (email, field) =>
          requireText(email, 'email', field),
        ),
      };
    case 'CHOICES':
      return {
        kind: body.kind,
        style: body.style,
        items: validateList(body.items, 1, 'choices', 'content.choices.items', validateChoice),
      };
    case 'CARDS':
      return { kind: body.kind, cards: validateList(body.cards, 1, 'cards', 'content.cards', validateCard) };
    case 'FORM':
      return {
        kind: body.kind,
        fields: assertUniqueNames(validateList(body.fields, 1, 'fields', 'content.form.fields', validateFormField)),
      };
  }
}

const validateChoice = ({ title, value }: Choice, field: string): Choice => ({
  title: requireText(title, 'title', `${field}.title`),
  value: requireText(value, 'value', `${field}.value`),
});

const validateCard = ({ title, description, pictureUrl, actions }: Card, field: string): Card => ({
  title: requireText(title, 'title', `${field}.title`),
  description: validateOptionalText(description, 'description', `${field}.description`),
  pictureUrl: pictureUrl === null ? null : validateUrl(pictureUrl, `${field}.pictureUrl`),
  actions: validateList(actions, 0, 'actions', `${field}.actions`, validateCardAction),
});

function validateCardAction({ title, url, value }: CardAction, field: string): CardAction {
  if ((url === null) === (value === null)) throw invalidInput(field, 'An action has either a url or a value.');
  return {
    title: requireText(title, 'title', `${field}.title`),
    url: url === null ? null : validateUrl(url, `${field}.url`),
    value: validateOptionalText(value, 'value', `${field}.value`),
  };
}

function validateFormField(
  { name, label, type, isRequired, placeholder, options }: FormField,
  field: string,
): FormField {
  if (type !== 'SELECT' && options.length > 0) throw invalidInput(`${field}.options`, 'Only a SELECT has options.');
  return {
    name: requireText(name, 'name', `${field}.name`),
    label: requireText(label, 'title', `${field}.label`),
    type,
    isRequired,
    placeholder: validateOptionalText(placeholder, 'title', `${field}.placeholder`),
    options: validateList(options, type === 'SELECT' ? 1 : 0, 'choices', `${field}.options`, validateChoice),
  };
}

function assertUniqueNames(fields: readonly FormField[]): readonly FormField[] {
  const at = fields.findIndex(({ name }, index) => fields.findIndex(one => one.name === name) < index);
  if (at >= 0)
    throw invalidInput(`content.form.fields.${at}.name`, 'Two fields of the form have this name; each needs its own.');
  return fields;
}

const invalidInput = (field: string, message: string) => new InvalidInputError('INPUT_INVALID', field, message);

function validateDegrees(value: number, max: number, field: string): number {
  if (!Number.isFinite(value) || Math.abs(value) > max)
    throw invalidInput(field, `${field} takes degrees from -${max} to ${max}.`);
  return value;
}

function requireText(text: string, limit: Limit, field: string): string {
  const clean = validateOptionalText(text, limit, field);
  if (clean === null || clean.trim() === '')
    throw invalidInput(field, `${field} is empty; give 1 to ${CONTENT_LIMITS[limit]} characters.`);
  return clean;
}

function validateOptionalText(text: string | null, limit: Limit, field: string): string | null {
  if (text !== null && text.length > CONTENT_LIMITS[limit])
    throw invalidInput(field, `${field} has ${text.length} characters; at most ${CONTENT_LIMITS[limit]} fit.`);
  return text === null ? null : cleanText(text);
}

function validateList<One, Checked>(
  items: readonly One[],
  min: 0 | 1,
  limit: Limit,
  field: string,
  check: (one: One, field: string) => Checked,
): readonly Checked[] {
  if (items.length < min || items.length > CONTENT_LIMITS[limit])
    throw invalidInput(field, `${field} has ${items.length} entries; give ${min} to ${CONTENT_LIMITS[limit]}.`);
  return items.map((one, at) => check(one, `${field}.${at}`));
}

/**
 * Validates and returns an address that a person may follow.
 * @throws InvalidInputError INPUT_INVALID unless it is a usable web address
 */
export function validateUrl(url: string, field: string): string {
  const clean = requireText(url, 'url', field);
  const problem = addressProblem(clean, 'link');
  if (problem !== null) throw invalidInput(field, `${field}: ${problem}`);
  return clean;
}
