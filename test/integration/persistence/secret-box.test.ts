import { SecretBox } from '../../../src/persistence';

const box = new SecretBox('the first secret of this installation');

it('decrypts what it encrypted, and nothing is readable in between', () => {
  const sealed = box.seal('p4ssword ✓', 'row/1');
  expect(box.open(sealed, 'row/1')).toBe('p4ssword ✓');
  expect(Buffer.from(sealed.split('.')[1]!, 'base64url').toString('latin1')).not.toContain('p4ssword');
});

it('encrypts the same text differently each time', () => {
  expect(box.seal('same', 'row/1')).not.toBe(box.seal('same', 'row/1'));
});

it('decrypts what an older secret encrypted, and encrypts with the newest', () => {
  const rotated = new SecretBox('the second secret of this installation', ['the first secret of this installation']);
  expect(rotated.open(box.seal('old', 'row/1'), 'row/1')).toBe('old');
  expect(() => box.open(rotated.seal('new', 'row/1'), 'row/1')).toThrow(/secret key/);
});

it('accepts a secret as text or as bytes', () => {
  const bytes = Buffer.from('the first secret of this installation');
  expect(new SecretBox(bytes).open(box.seal('x', 'row/1'), 'row/1')).toBe('x');
});

it('refuses ciphertext that was changed, cut, or moved to another place, and does not show it', () => {
  const sealed = box.seal('p4ssword', 'row/1');
  const flipped = `${sealed.slice(0, -2)}${sealed.at(-2) === 'A' ? 'B' : 'A'}${sealed.at(-1)}`;
  for (const [value, place] of [
    [flipped, 'row/1'],
    [sealed.slice(0, 20), 'row/1'],
    [sealed, 'row/2'],
    ['', 'row/1'],
    ['plain', 'row/1'],
  ] as const)
    expect(() => box.open(value, place)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('p4ssword') }),
    );
});
