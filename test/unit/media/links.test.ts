import { LINK_MS, MediaLinks } from '../../../src/media/media-links';

const ref = { organizationId: 'org-1', messageId: 'm-1', index: 0 };
const links = new MediaLinks(Buffer.alloc(32, 7), () => 1_000);

describe('a link to a file', () => {
  it('ends with its name, cut between characters', () => {
    for (const before of [148, 149, 150]) {
      const path = links.createPath(ref, `${'x'.repeat(before)}😀.png`);
      expect(decodeURIComponent(path.split('/').at(-1)!)).toMatch(/^x+(😀)?$/);
      expect(links.parsePath(path)).toEqual(ref);
    }
  });

  it('accepts any recorded name, also with halves of characters', () => {
    expect(links.parsePath(links.createPath(ref, '\ud83d'))).toEqual(ref);
    expect(new MediaLinks(Buffer.alloc(32, 7), () => 1_000 + LINK_MS).parsePath(links.createPath(ref, 'a'))).toBeNull();
  });
});
