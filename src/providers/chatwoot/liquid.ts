/** Longest content of a message, in characters; validated before templates are rendered. */
export const MAX_CONTENT_LENGTH = 150_000;

const CODE = /`.*?`/gs;
/** A brace that begins a tag, or would together with what Chatwoot puts before a piece of code. */
const OPENING_BRACE = /\{(?=[{%`])/g;
const ENDRAW_IN_CODE = /\{(?=%-?\s*endraw)/g;
const WORD_JOINER = '\u2060';

/**
 * Text that comes out of Chatwoot's Liquid as it went in.
 *
 * Chatwoot (3.16 to 4.14) renders every outgoing message, private ones too: `{{x}}` is filled in or vanishes. Each brace
 * that could begin a tag becomes an output tag of that one brace. Code between backticks Chatwoot keeps from Liquid
 * itself, by putting `{% raw %}` around it: there nothing may be escaped, and only an `endraw` could get out.
 */
export function escapeLiquid(text: string): string {
  const exact = escapeExactly(text);
  if (exact.length <= MAX_CONTENT_LENGTH) return exact;
  // Thousands of braces: one invisible character each has room where nine would not.
  return outsideCode(text, (piece) => piece.replace(OPENING_BRACE, `{${WORD_JOINER}`));
}

/** As `escapeLiquid`, without the invisible characters that it takes for thousands of braces. */
export const escapeExactly = (text: string): string => outsideCode(text, (piece) => piece.replace(OPENING_BRACE, "{{ '{' }}"));

function outsideCode(text: string, escape: (piece: string) => string): string {
  let escaped = '';
  let end = 0;
  for (const code of text.matchAll(CODE)) {
    // The backtick belongs to the piece before it, where it makes a brace at the end an opening one.
    escaped += escape(`${text.slice(end, code.index)}\``).slice(0, -1) + code[0].replace(ENDRAW_IN_CODE, `{${WORD_JOINER}`);
    end = code.index + code[0].length;
  }
  return escaped + escape(text.slice(end));
}
