const MAX_LENGTH = 200;
const LONGEST_HARMLESS_SEGMENT = 40;

/**
 * Returns a URL's path for the log, without its query, the secret of a webhook URL, a file's link or name, and any
 * segment long enough to be a token. A UUID has 36 characters.
 */
export function maskPath(url: string): string {
  const path = url.split(/[?#]/, 1)[0]!;
  const [, room, account] = path.split('/');
  if (room === 'webhooks') return account === undefined ? '/webhooks' : `/webhooks/${maskSegment(account)}/***`;
  const segments = path.split('/').map(maskSegment);
  // A file's link ends in a token and the file's name.
  const files = segments.indexOf('files');
  return (files > 0 && files + 1 < segments.length ? [...segments.slice(0, files + 1), '***'] : segments)
    .join('/')
    .slice(0, MAX_LENGTH);
}

const maskSegment = (segment: string): string => (segment.length > LONGEST_HARMLESS_SEGMENT ? '***' : segment);
