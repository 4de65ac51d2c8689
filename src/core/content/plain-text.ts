import type { Card, ContactCard, ContentBody, Form, Location } from '../content';

/**
 * Returns a message as plain text: its caption and its content, readable and answerable without knowing any kind of
 * content.
 */
export function plainTextOf(caption: string, content: ContentBody | null): string {
  return joinLines([caption, content === null ? '' : contentText(content)]);
}

function contentText(content: ContentBody): string {
  switch (content.kind) {
    case 'LOCATION':
      return locationText(content);
    case 'CONTACT_CARD':
      return contactText(content);
    case 'CHOICES':
      return content.items.map(({ title }, at) => `${at + 1}. ${title}`).join('\n');
    case 'CARDS':
      return content.cards.map(cardText).join('\n\n');
    case 'FORM':
      return formText(content);
  }
}

function locationText({ latitude, longitude, title, address }: Location): string {
  const place = [title, address].filter(part => part).join(', ') || 'Location';
  return `${place}: https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}`;
}

const contactText = ({ name, organization, phones, emails }: ContactCard): string =>
  joinLines([`Contact: ${[name, organization].filter(part => part).join(', ')}`, ...phones, ...emails]);

const cardText = ({ title, description, pictureUrl, actions }: Card): string =>
  joinLines([
    title,
    description,
    pictureUrl,
    ...actions.map(
      action => `- ${action.title}${action.url ? `: ${action.url}` : action.value ? ` (${action.value})` : ''}`,
    ),
  ]);

const formText = ({ fields }: Form): string =>
  fields
    .map(
      ({ label, name, options }) =>
        `${label || name}: ${options.map(({ title, value }) => title || value).join(' / ') || '…'}`,
    )
    .join('\n');

const joinLines = (lines: readonly (string | null)[]): string =>
  lines.filter(line => line !== null && line !== '').join('\n');
