/** Longest content of a message, in characters; validated before templates are rendered. */
export const MAX_CONTENT_LENGTH = 150_000;

const CODE = /`.*?`/gs;
/** A brace that begins a tag, or would begin one together with the text that Chatwoot puts before code. */
const OPENING_BRACE = /\{(?=[{%`])/g;
const ENDRAW_IN_CODE = /\{(?=%-?\s*endraw)/g;
const WORD_JOINER = '\u2060';

/**
 * Escapes a text so that Chatwoot's Liquid renders it unchanged. Chatwoot (3.16 to 4.14) renders every outgoing
 * message, private ones too: `{{x}}` is replaced or vanishes. Each brace that could begin a tag becomes an output tag
 * of that brace. Chatwoot itself protects code between backticks by putting `{% raw %}` around it: there nothing may be
 * escaped, and only an `endraw` could end the protection.
 */
export function escapeLiquid(text: string): string {
  const exact = escapeLiquidVisibly(text);
  if (exact.length <= MAX_CONTENT_LENGTH) return exact;
  // With thousands of braces, one invisible character each still fits where nine characters would not.
  return escapeOutsideCode(text, piece => piece.replace(OPENING_BRACE, `{${WORD_JOINER}`));
}

/** Escapes like `escapeLiquid`, but never with invisible characters, so the result may be too long. */
export const escapeLiquidVisibly = (text: string): string =>
  escapeOutsideCode(text, piece => piece.replace(OPENING_BRACE, "{{ '{' }}"));

function escapeOutsideCode(text: string, escape: (piece: string) => string): string {
  let escaped = '';
  let end = 0;
  for (const code of text.matchAll(CODE)) {
    // The backtick is escaped together with the piece before it, because it can make that piece's last brace begin a
    // tag.
    escaped +=
      escape(`${text.slice(end, code.index)}\``).slice(0, -1) + code[0].replace(ENDRAW_IN_CODE, `{${WORD_JOINER}`);
    end = code.index + code[0].length;
  }
  return escaped + escape(text.slice(end));
}
