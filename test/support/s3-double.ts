import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const PAGE = 2;

/**
 * The part of S3 that our store uses, in memory, for features that s3rver 3.7 does not support on this Node: pages of a
 * listing, and aborting a multipart upload. Checks which key signed, but not the signature; s3rver does that.
 */
export class S3Double {
  readonly objects = new Map<string, { readonly bytes: Buffer; modified: Date }>();
  /** Multipart uploads that are neither complete nor aborted. */
  readonly uploads = new Map<string, Map<number, Buffer>>();
  readonly listings: string[] = [];
  private readonly server = createServer((request, response) => void this.answer(request, response));

  constructor(
    private readonly bucket: string,
    readonly accessKeyId: string,
  ) {}

  async start(): Promise<string> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { pathname, searchParams: query } = new URL(request.url!, 'http://s3');
    const [, bucket, ...rest] = decodeURIComponent(pathname).split('/');
    const key = rest.join('/');
    const refuse = (status: number, code: string) =>
      send(
        response,
        status,
        request.method === 'HEAD' ? '' : `<Error><Code>${code}</Code><Message>no</Message></Error>`,
      );

    if (!request.headers.authorization?.startsWith(`AWS4-HMAC-SHA256 Credential=${this.accessKeyId}/`))
      return refuse(403, 'AccessDenied');
    if (bucket !== this.bucket) return refuse(404, 'NoSuchBucket');
    // As servers do that do not know the newest way of sending checksums.
    if (String(request.headers['x-amz-content-sha256']).startsWith('STREAMING')) return refuse(501, 'NotImplemented');
    const uploadId = query.get('uploadId') ?? '';
    switch (request.method) {
      case 'GET':
      case 'HEAD': {
        if (query.get('list-type') === '2') return send(response, 200, this.list(query));
        const found = this.objects.get(key);
        if (found === undefined) return refuse(404, 'NoSuchKey');
        response.writeHead(200, {
          'content-length': found.bytes.length,
          'last-modified': found.modified.toUTCString(),
          etag: etagOf(found.bytes),
        });
        return void response.end(request.method === 'HEAD' ? undefined : found.bytes);
      }
      case 'PUT':
        if (query.has('partNumber')) this.uploads.get(uploadId)!.set(Number(query.get('partNumber')), body);
        else this.objects.set(key, { bytes: body, modified: new Date() });
        return send(response, 200, '', { etag: etagOf(body) });
      case 'POST': {
        if (query.has('uploads')) {
          const id = randomUUID();
          this.uploads.set(id, new Map());
          return send(
            response,
            200,
            `<InitiateMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${key}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
          );
        }
        const parts = [...this.uploads.get(uploadId)!].sort(([one], [other]) => one - other);
        this.objects.set(key, { bytes: Buffer.concat(parts.map(([, part]) => part)), modified: new Date() });
        this.uploads.delete(uploadId);
        return send(
          response,
          200,
          `<CompleteMultipartUploadResult><Key>${key}</Key><ETag>"x"</ETag></CompleteMultipartUploadResult>`,
        );
      }
      case 'DELETE':
        if (uploadId === '') this.objects.delete(key);
        else this.uploads.delete(uploadId);
        return send(response, 204, '');
      default:
        return refuse(405, 'MethodNotAllowed');
    }
  }

  private list(query: URLSearchParams): string {
    const [prefix, after] = [query.get('prefix') ?? '', query.get('continuation-token') ?? ''];
    this.listings.push(prefix);
    const keys = [...this.objects.keys()].filter(key => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, PAGE);
    const contents = page.map(
      key =>
        `<Contents><Key>${key}</Key><LastModified>${this.objects.get(key)!.modified.toISOString()}</LastModified><Size>1</Size></Contents>`,
    );
    const next =
      keys.length > PAGE
        ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${page.at(-1)}</NextContinuationToken>`
        : '<IsTruncated>false</IsTruncated>';
    return `<ListBucketResult>${next}${contents.join('')}</ListBucketResult>`;
  }
}

const etagOf = (bytes: Buffer): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

function send(
  response: ServerResponse,
  status: number,
  xml: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response
    .writeHead(status, { 'content-type': 'application/xml', ...headers })
    .end(xml === '' ? undefined : `<?xml version="1.0"?>${xml}`);
}
