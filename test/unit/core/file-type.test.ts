import { detectFileType } from '../../../src/core/detect-file-type';

const head = (text: string) => Buffer.from(text, 'latin1');
const OGG = head('OggS\0\x02\0\0\0\0\0\0\0\0\0\0');
const JPEG = head('\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\0');
const M4A = head('\0\0\0\x20ftypM4A \0\0\0\0');
const WORDS = head('Dear sir or mada');

describe('the type of a file', () => {
  it.each<[string, Buffer, (string | null)[], string]>([
    ['its bytes, when no type is given', OGG, [null], 'audio/ogg'],
    [
      'its bytes, when the given type is "some bytes"',
      JPEG,
      ['application/octet-stream', 'binary/octet-stream'],
      'image/jpeg',
    ],
    ['its bytes, when they contradict the given type', OGG, ['audio/mpeg'], 'audio/ogg'],
    ['the given type, when its bytes may have that type too', OGG, ['audio/opus'], 'audio/opus'],
    [
      'the given type, without parameters, when its bytes may have that type too',
      OGG,
      ['Audio/Ogg; codecs=opus'],
      'audio/ogg',
    ],
    ['the first given type', WORDS, ['text/csv', 'text/plain'], 'text/csv'],
    ['the only given type', WORDS, ['nonsense', 'application/octet-stream', 'text/plain; charset=utf-8'], 'text/plain'],
    ['unknown, when there is no evidence', WORDS, [null, ''], 'application/octet-stream'],
    ['the brand of a media file', M4A, [null], 'audio/mp4'],
    ['the kind of media that is given', head('\0\0\0\x20ftypisom\0\0\0\0'), ['audio/mp4'], 'audio/mp4'],
    ['unknown for an empty file', Buffer.alloc(0), [null], 'application/octet-stream'],
  ])('is %s', (_what, bytes, said, type) => {
    expect(detectFileType(bytes, said)).toBe(type);
  });

  it.each([
    ['\x89PNG\r\n', 'image/png'],
    ['GIF89a', 'image/gif'],
    ['RIFF\0\0\0\0WEBPVP8 ', 'image/webp'],
    ['RIFF\0\0\0\0WAVEfmt ', 'audio/wav'],
    ['%PDF-1.7', 'application/pdf'],
    ['fLaC', 'audio/flac'],
    ['#!AMR\n', 'audio/amr'],
    ['\xff\xf1\x50', 'audio/aac'],
    ['ID3\x03', 'audio/mpeg'],
    ['\xff\xfb\x90', 'audio/mpeg'],
    ['\x1aE\xdf\xa3', 'video/webm'],
    ['\0\0\0\x20ftypmp42', 'video/mp4'],
    ['\0\0\0\x20ftypqt  ', 'video/quicktime'],
    ['\0\0\0\x20ftypheic', 'image/heic'],
    ['\0\0\0\x20ftypavif', 'image/avif'],
  ])('is detected from %j', (bytes, type) => {
    expect(detectFileType(head(bytes), [])).toBe(type);
  });
});
