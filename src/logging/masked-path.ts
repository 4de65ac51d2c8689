const MAX_LENGTH = 200;
const LONGEST_HARMLESS_SEGMENT = 40;

/**
 * A URL's path as it may be logged: never the query, never what follows the account in a webhook's URL, and no segment
 * that is long enough to be somebody's token. A UUID has 36 characters.
 */
export function maskedPath(url: string): string {
  const path = url.split(/[?#]/, 1)[0]!;
  const [, room, account] = path.split('/');
  if (room === 'webhooks') return account === undefined ? '/webhooks' : `/webhooks/${shortened(account)}/***`;
  return path.split('/').map(shortened).join('/').slice(0, MAX_LENGTH);
}

const shortened = (segment: string): string => (segment.length > LONGEST_HARMLESS_SEGMENT ? '***' : segment);
