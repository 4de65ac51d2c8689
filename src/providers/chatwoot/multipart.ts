import { randomUUID } from 'node:crypto';
import { fitFileName } from '../../core/checks/file-name';

export interface FormFile {
  readonly name: string;
  readonly contentType: string;
  /** In memory or on disk. Read when the form is sent. */
  readonly body: Blob;
}

/**
 * Builds a form with files as a request body. Not a FormData, which turns every line break of a text into CR LF: agents
 * would see, and our comparison of texts would find, another message.
 */
export function multipart(fields: Readonly<Record<string, string>>, name: string, files: readonly FormFile[]): Blob {
  // Lower case, because the Blob's type contains it and is lower-cased.
  const boundary = `support-subgraph-${randomUUID()}`;
  const parts: (string | Blob)[] = [];
  for (const [field, value] of Object.entries(fields))
    parts.push(`--${boundary}\r\ncontent-disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`);
  for (const file of files) {
    const type = /^[\w.+-]+\/[\w.+-]+$/.test(file.contentType) ? file.contentType : 'application/octet-stream';
    parts.push(
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${fitFileName(file.name, type)}"\r\ncontent-type: ${type}\r\n\r\n`,
      file.body,
      '\r\n',
    );
  }
  return new Blob([...parts, `--${boundary}--\r\n`], { type: `multipart/form-data; boundary=${boundary}` });
}
