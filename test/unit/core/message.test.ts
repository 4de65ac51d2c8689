import { contextNote } from '../../../src/core/flows/to-provider/context-note';
import { canonicalJson } from '../../../src/core/flows/canonical-json';
import { validateId } from '../../../src/core/flows/from-runtime/record-message';
import type { HandoffRecord } from '../../../src/core/handoff';
import { validateText, MAX_ATTACHMENTS, MAX_TEXT_LENGTH } from '../../../src/core/message';

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const file = { url: 'http://127.0.0.1/a.png', name: 'a.png', contentType: 'image/png', sizeBytes: 3 };

describe('text', () => {
  it('accepts exactly the documented limit, which is at least 32,000', () => {
    expect(MAX_TEXT_LENGTH).toBeGreaterThanOrEqual(32_000);
    expect(validateText('x'.repeat(MAX_TEXT_LENGTH), [], 'text')).toHaveLength(MAX_TEXT_LENGTH);
    expect(codeOf(() => validateText('x'.repeat(MAX_TEXT_LENGTH + 1), [], 'text'))).toBe('TEXT_TOO_LONG');
  });

  it('refuses empty and invisible text, unless a file comes with it', () => {
    expect(codeOf(() => validateText('', [], 'text'))).toBe('TEXT_EMPTY');
    expect(codeOf(() => validateText(' \n\t', [], 'text'))).toBe('TEXT_EMPTY');
    expect(codeOf(() => validateText('\u0000', [], 'text'))).toBe('TEXT_EMPTY');
    expect(validateText('', [file], 'text')).toBe('');
  });

  it('drops NUL, which neither Postgres nor Chatwoot stores, and keeps everything else', () => {
    expect(validateText('a\u0000b {{x}} 😀', [], 'text')).toBe('ab {{x}} 😀');
  });

  it('refuses more files than the limit per message', () => {
    expect(
      codeOf(() =>
        validateText(
          'x',
          Array.from({ length: MAX_ATTACHMENTS + 1 }, () => file),
          'text',
        ),
      ),
    ).toBe('TOO_MANY_ATTACHMENTS');
  });
});

describe('ids from callers', () => {
  it('have 1 to 200 visible characters', () => {
    expect(validateId('a', 'x')).toBe('a');
    expect(codeOf(() => validateId('', 'x'))).toBe('INPUT_INVALID');
    expect(codeOf(() => validateId('a\u0000', 'x'))).toBe('INPUT_INVALID');
    expect(codeOf(() => validateId('a'.repeat(201), 'x'))).toBe('ID_TOO_LONG');
  });
});

describe('the digest of an input', () => {
  it('does not depend on the order of fields, and depends on every value', () => {
    expect(canonicalJson({ b: 1, a: [{ d: null, c: 'x' }] })).toBe(canonicalJson({ a: [{ c: 'x', d: null }], b: 1 }));
    expect(canonicalJson({ a: '1' })).not.toBe(canonicalJson({ a: 1 }));
    expect(canonicalJson(['ab', 'c'])).not.toBe(canonicalJson(['a', 'bc']));
  });
});

describe('the context note', () => {
  const handoff = { reason: null, intent: null, summary: null, fields: {}, links: [] } as unknown as HandoffRecord;
  it('contains what the runtime gave', () => {
    expect(
      contextNote({
        ...handoff,
        reason: 'invoice',
        fields: { Order: '47' },
        links: [{ label: 'The order', url: 'https://shop.example/47' }],
      }),
    ).toBe('Handed over by the bot.\nReason: invoice\nOrder: 47\nThe order: https://shop.example/47');
  });
  it('is omitted when it would be empty', () => {
    expect(contextNote(handoff)).toBeNull();
  });
});
