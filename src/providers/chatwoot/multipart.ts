import { randomUUID } from 'node:crypto';
import { fitFileName } from '../../core/checks/file-name';

export interface FormFile {
  readonly name: string;
  readonly contentType: string;
  /** In memory or on disk; it is read when the form is sent. */
  readonly body: Blob;
}

/**
 * A form with files as a request body. Written by hand because FormData turns every line break of a text into CR LF,
 * and agents' screens and our own comparison of texts would see another message.
 */
export function multipart(fields: Readonly<Record<string, string>>, name: string, files: readonly FormFile[]): Blob {
  // A Blob's type is lower-cased, and the boundary stands in it.
  const boundary = `support-subgraph-${randomUUID()}`;
  const parts: (string | Blob)[] = [];
  for (const [field, value] of Object.entries(fields)) parts.push(`--${boundary}\r\ncontent-disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`);
  for (const file of files) {
    const type = /^[\w.+-]+\/[\w.+-]+$/.test(file.contentType) ? file.contentType : 'application/octet-stream';
    parts.push(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${fitFileName(file.name, type)}"\r\ncontent-type: ${type}\r\n\r\n`, file.body, '\r\n');
  }
  return new Blob([...parts, `--${boundary}--\r\n`], { type: `multipart/form-data; boundary=${boundary}` });
}
