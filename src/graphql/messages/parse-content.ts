import type { Choice, ContentBody } from '../../core/content';
import { InvalidInputError } from '../../core/errors';
import type { SupportChoiceInput, SupportMessageContentInput } from './content-inputs';

/**
 * Returns an empty object if no content is given, so that the digest of such an input stays as in earlier versions.
 * @throws InvalidInputError unless exactly one kind is given
 */
export function contentOf(given: SupportMessageContentInput | null | undefined): { readonly content?: ContentBody } {
  if (given == null) return {};
  const bodies = givenBodies(given);
  const [content] = bodies;
  if (content === undefined || bodies.length > 1)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'content',
      'Give exactly one of location, contact, choices, cards, form; send several of them as several messages.',
    );
  return { content };
}

const choicesOf = (given: readonly SupportChoiceInput[] | null | undefined): readonly Choice[] =>
  (given ?? []).map(({ title, value }) => ({ title, value: value ?? title }));

function givenBodies({ location, contact, choices, cards, form }: SupportMessageContentInput): readonly ContentBody[] {
  const bodies: ContentBody[] = [];
  if (location)
    bodies.push({
      kind: 'LOCATION',
      latitude: location.latitude,
      longitude: location.longitude,
      title: location.title ?? null,
      address: location.address ?? null,
    });
  if (contact)
    bodies.push({
      kind: 'CONTACT_CARD',
      name: contact.name,
      organization: contact.organization ?? null,
      phones: contact.phones ?? [],
      emails: contact.emails ?? [],
    });
  if (choices) bodies.push({ kind: 'CHOICES', style: choices.style, items: choicesOf(choices.items) });
  if (cards)
    bodies.push({
      kind: 'CARDS',
      cards: cards.map(({ title, description, pictureUrl, actions }) => ({
        title,
        description: description ?? null,
        pictureUrl: pictureUrl ?? null,
        actions: (actions ?? []).map(action => ({
          title: action.title,
          url: action.url ?? null,
          value: action.value ?? null,
        })),
      })),
    });
  if (form)
    bodies.push({
      kind: 'FORM',
      fields: form.fields.map(({ name, label, type, isRequired, placeholder, options }) => ({
        name,
        label,
        type,
        isRequired,
        placeholder: placeholder ?? null,
        options: choicesOf(options),
      })),
    });
  return bodies;
}
