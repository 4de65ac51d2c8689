import type { PostedFile } from '../../core/ports/provider/post-verbs';

/** Returns a file as the core passes it to a post. */
export const postedFile = (
  name = 'photo.png',
  contentType = 'image/png',
  bytes: string | Buffer = 'the bytes of a photo',
): PostedFile => {
  const content = Buffer.from(bytes);
  return {
    name,
    contentType,
    sizeBytes: content.length,
    async open() {
      return (async function* () {
        yield content;
      })();
    },
  };
};
