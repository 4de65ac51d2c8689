import { checkFile, fileKey } from '../../../src/core/files';

const limits = { maxBytes: 100, refusedTypes: ['.exe', 'video/*', 'application/x-msdownload'] };
const codeOf = (file: { name?: string; contentType?: string | null; sizeBytes?: number | null }): string | null => {
  try {
    checkFile({ name: 'a.pdf', contentType: 'application/pdf', sizeBytes: 1, ...file }, limits);
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a file', () => {
  it.each([
    {},
    { sizeBytes: 100 },
    { sizeBytes: null, contentType: null },
    { name: 'exe' },
    { name: '.exe.pdf' },
    { name: '' },
    { contentType: 'audio/mp4' },
    { contentType: 'not a type' },
  ])('is accepted within the limits: %j', file => {
    expect(codeOf(file)).toBeNull();
  });

  it.each([
    [{ sizeBytes: 101 }, 'FILE_TOO_LARGE'],
    [{ name: 'setup.EXE ' }, 'FILE_TYPE_REFUSED'],
    [{ contentType: 'Video/MP4; codecs=avc1' }, 'FILE_TYPE_REFUSED'],
    [{ contentType: 'application/x-msdownload', sizeBytes: 101 }, 'FILE_TYPE_REFUSED'],
  ])('is refused by field name beyond the limits: %j', (file, code) => {
    expect(codeOf(file)).toBe(code);
  });
});

it('has a unique key among the files of its message', () => {
  expect([0, 1].map(index => fileKey({ messageId: 'm', index }))).toEqual(['m-0', 'm-1']);
});
