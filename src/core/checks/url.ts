/**
 * How an address is used.
 * - `base`: paths are appended to it. A query, a fragment or a dot segment would change the path, so none is allowed.
 * - `endpoint`: called as it is. A fragment is never sent, so none is allowed.
 * - `link`: a file or page that somebody opens as it is.
 */
export type AddressUse = 'base' | 'endpoint' | 'link';

/** In UTF-16 code units. */
export const MAX_ADDRESS_LENGTH = 2_000;
/** For addresses of files: signed links of object stores contain session tokens of 1,000 characters and more. */
export const MAX_FILE_ADDRESS_LENGTH = 8_000;

/**
 * URL parsers remove some of these and read a backslash as a slash, so the called address would differ from the text.
 */
const HIDDEN_CHARACTERS = /[\s\\\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]/;
const SCHEME_AND_HOST = /^https?:\/\/(?![/?#])/i;
const DOT_SEGMENT = /\/(\.|%2e){1,2}(\/|$)/i;

/**
 * Returns why an address of a tenant cannot be used, or null if it can. Called at every mutation that takes an address:
 * provider base URLs, runtime endpoints, attachments and links in structured content. Checks only the text; the host's
 * network address is checked at each call. The result never contains the address, which may contain a token.
 * @returns a cause and a next step, as one or two sentences
 */
export function addressProblem(text: string, use: AddressUse, maxLength = MAX_ADDRESS_LENGTH): string | null {
  if (text.length > maxLength) return `The address has ${text.length} characters; at most ${maxLength} fit.`;
  if (HIDDEN_CHARACTERS.test(text))
    return 'The address contains a space, a control character or a backslash; remove it, or write it percent-encoded.';
  if (!SCHEME_AND_HOST.test(text) || !URL.canParse(text))
    return 'This is not a web address; give one that begins with https:// or http:// and a host name.';
  const authority = /^https?:\/\/([^/?#]*)/i.exec(text)![1]!;
  if (authority.includes('@')) return 'The address contains a user name or password; remove it.';
  if (use === 'base' && /[?#]/.test(text))
    return (
      'The address contains a ? or a #, which would replace the path that is appended; ' +
      'end it with the host or the path.'
    );
  if (use === 'base' && DOT_SEGMENT.test(text))
    return 'The path of the address contains . or .. as a segment; give the path without it.';
  if (use === 'endpoint' && text.includes('#'))
    return 'The address contains a #, and the text after it is never sent; remove it, or write it as %23.';
  return null;
}

/** Why an address is not called although its form is valid. */
export const PRIVATE_ADDRESS =
  'The address leads to a private network, which this service does not call; give a public address, or let the ' +
  'operator of this service allow it in SUPPORT_ALLOW_PRIVATE_ADDRESSES.';
