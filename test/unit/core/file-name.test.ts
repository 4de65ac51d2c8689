import fc from 'fast-check';
import { fitFileName, MAX_NAME_BYTES } from '../../../src/core/checks/file-name';

const TYPES = ['image/png', 'audio/mpeg', 'text/plain', 'application/octet-stream', 'no type', '', 'IMAGE/JPEG; q=1'];
/** Names as attackers and phones write them: any code units, and those with a meaning somewhere. */
const anyName = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        '.',
        '..',
        '/',
        '\\',
        ' ',
        '\t',
        '\r\n',
        '\u0000',
        '\u202e',
        '\u200b',
        '\u200d',
        '\ufeff',
        '\u3164',
        '\u2800',
        'con',
        'NUL',
        '.txt',
        '.png',
        '"',
        '%00',
        '%2f',
        '\ud800',
        '\udfff',
        '👩‍👩‍👧',
        'é'.repeat(200),
      ),
    ),
    { maxLength: 12 },
  )
  .map(parts => parts.join(''));
const anyType = fc.constantFrom(...TYPES);

describe('the name of a file', () => {
  it.each([
    ['photo.png', 'image/png', 'photo.png'],
    ['Grüße 你好 👩‍👩‍👧.pdf', 'application/pdf', 'Grüße 你好 👩‍👩‍👧.pdf'],
    [' ', 'image/png', 'file.png'],
    ['\t\n', 'audio/mpeg', 'file.mp3'],
    ['', 'application/octet-stream', 'file'],
    ['...', 'text/plain', 'file.txt'],
    ['../../etc/passwd', 'text/plain', 'passwd.txt'],
    ['C:\\dir\\x.txt', 'text/plain', 'x.txt'],
    ['invoice\u202efdp.exe', 'application/pdf', 'invoicefdp.exe'],
    ['\u200b\u2060', 'image/jpeg', 'file.jpg'],
    ['\u3164\u2800', 'image/jpeg', 'file.jpg'],
    ['a\r\nb".png', 'image/png', 'a b-.png'],
    ['nul', 'text/plain', '_nul.txt'],
    ['con.tar.gz', 'application/gzip', '_con.tar.gz'],
    ['voice', 'audio/ogg; codecs=opus', 'voice.ogg'],
    ['x'.repeat(5_000) + '.jpeg', 'image/jpeg', 'x'.repeat(250) + '.jpeg'],
    ['é'.repeat(200) + '.png', 'image/png', 'é'.repeat(125) + '.png'],
  ])('%j with type %s becomes %j', (name, type, fit) => {
    expect(fitFileName(name, type)).toBe(fit);
  });

  it('is valid for every remote, whatever the input was', () => {
    fc.assert(
      fc.property(anyName, anyType, (name, type) => {
        const fit = fitFileName(name, type);
        expect(fit.trim()).toBe(fit);
        expect(fit).toMatch(/[\p{L}\p{N}\p{S}]/u);
        expect(fit).not.toMatch(/[\p{Cc}\p{Cs}/\\<>:"|?*\u202a-\u202e\u2066-\u2069\u200b\ufeff]/u);
        expect(fit).not.toMatch(/^\.|\.$/);
        expect(fit).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
        expect(Buffer.byteLength(fit)).toBeLessThanOrEqual(MAX_NAME_BYTES);
        expect(encodeURIComponent(fit)).toBeTruthy();
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not change once it is valid', () => {
    fc.assert(
      fc.property(anyName, anyType, (name, type) => {
        const fit = fitFileName(name, type);
        expect(fitFileName(fit, type)).toBe(fit);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps its extension, or gets the extension of its type', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-composite', minLength: 1, maxLength: 400 }), stem => {
        // Without a letter before the dot it may be a hidden file's name, which has no extension.
        expect(fitFileName(`${stem}x.docx`, 'image/png')).toMatch(/\.docx$/);
        expect(fitFileName(stem.replace(/[^\p{L}]/gu, 'x'), 'image/png')).toMatch(/\.png$/);
      }),
    );
  });
});
