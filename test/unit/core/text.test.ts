import fc from 'fast-check';
import { cutText, cleanText, isCleanText, cutReadably, shortenText } from '../../../src/core/checks/text';
import { fitText } from '../../../src/core/content/fit-text';

const anyText = fc.string({ unit: 'binary', maxLength: 200 });

describe('text for stores and remotes', () => {
  it('contains neither NUL nor half a surrogate pair, and is otherwise unchanged', () => {
    expect(cleanText('a\u0000b \ud83d 😀 \udc00')).toBe('ab \ufffd 😀 \ufffd');
    fc.assert(
      fc.property(anyText, text => {
        expect(isCleanText(cleanText(text))).toBe(true);
        expect(cleanText(cleanText(text))).toBe(cleanText(text));
        if (isCleanText(text)) expect(cleanText(text)).toBe(text);
      }),
    );
  });

  it('is never cut within a character', () => {
    expect(cutText('ab😀', 3)).toBe('ab');
    expect(shortenText('😀😀😀', 4)).toBe('😀…');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 50 }), fc.nat({ max: 60 }), (text, max) => {
        const beginning = cutText(text, max);
        expect(text.startsWith(beginning) && beginning.length <= max && isCleanText(beginning)).toBe(true);
      }),
    );
  });
});

describe('text that is too long', () => {
  const upTo = (max: number) => (text: string) => text.length <= max;

  it.each([
    ['one two\n\nthree four\n\nfive', 23, 'one two\n\nthree four'],
    ['one two three\nfour five six', 20, 'one two three'],
    ['one two three four', 15, 'one two three'],
    ['onetwothreefour', 10, 'onetwothre'],
    ['one\n\nand a very long paragraph behind it', 30, 'one\n\nand a very long paragraph'],
  ])('%j is cut at a readable place within %d', (text, max, beginning) => {
    expect(cutReadably(text, upTo(max))).toBe(beginning);
  });

  it('is posted as its beginning plus a file with all of it; text within the limit is posted alone', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', ' ', '\n', '😀', '{'), maxLength: 400 }),
        fc.integer({ min: 120, max: 300 }),
        (text, max) => {
          // As where each brace is sent as ten characters.
          const fits = (one: string) => one.replaceAll('{', "{{ '{' }}").length <= max;
          const fitted = fitText(text, 'note.txt', fits);
          expect(fits(fitted.text)).toBe(true);
          if (fits(text)) expect(fitted).toEqual({ text, file: null });
          else {
            expect(fitted.file).toEqual({ name: 'note.txt', content: text });
            const [beginning] = fitted.text.split('\n\n… Shortened: ');
            expect(text.startsWith(beginning!)).toBe(true);
          }
        },
      ),
    );
  });
});
