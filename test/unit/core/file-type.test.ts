import { detectFileType } from '../../../src/core/detect-file-type';

const head = (text: string) => Buffer.from(text, 'latin1');
const OGG = head('OggS\0\x02\0\0\0\0\0\0\0\0\0\0');
const JPEG = head('\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\0');
const M4A = head('\0\0\0\x20ftypM4A \0\0\0\0');
const WORDS = head('Dear sir or mada');

describe('the type of a file', () => {
  it.each<[string, Buffer, (string | null)[], string]>([
    ['its bytes, when nothing is said of them', OGG, [null], 'audio/ogg'],
    [
      'its bytes, when "some bytes" is said of them',
      JPEG,
      ['application/octet-stream', 'binary/octet-stream'],
      'image/jpeg',
    ],
    ['its bytes, when they contradict what is said', OGG, ['audio/mpeg'], 'audio/ogg'],
    ['what is said, when its bytes may be that too', OGG, ['audio/opus'], 'audio/opus'],
    ['what is said, without parameters, when its bytes may be that too', OGG, ['Audio/Ogg; codecs=opus'], 'audio/ogg'],
    ['what is said first', WORDS, ['text/csv', 'text/plain'], 'text/csv'],
    ['what is said at all', WORDS, ['nonsense', 'application/octet-stream', 'text/plain; charset=utf-8'], 'text/plain'],
    ['unknown, when nothing tells', WORDS, [null, ''], 'application/octet-stream'],
    ['the brand of a media file', M4A, [null], 'audio/mp4'],
    ['the kind that is said of a media file', head('\0\0\0\x20ftypisom\0\0\0\0'), ['audio/mp4'], 'audio/mp4'],
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
  ])('is known by %j', (bytes, type) => {
    expect(detectFileType(head(bytes), [])).toBe(type);
  });
});
