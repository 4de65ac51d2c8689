import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../core/caller';
import { AccessError, InvalidInputError, NotFoundError } from '../core/errors';
import type { ProviderHttpRequest, ProviderHttpResponse } from '../core/ports/support-provider';
import { errorAnswer, type Answer } from './answer';
import type { PlainRequest } from './plain-request';

export type ProviderPage = (request: ProviderHttpRequest) => Promise<ProviderHttpResponse>;

export interface ProviderPagesOptions {
  /** By provider name; mounted at `/providers/<name>/`. */
  readonly pages: ReadonlyMap<string, ProviderPage>;
  readonly bodyLimitBytes: number;
  identify(credentials: { readonly headers: IncomingHttpHeaders; readonly remoteAddress: string | undefined }): Promise<Caller>;
}

/** All senders that a page reads without knowing them share one part. */
const NOBODY = '';

/** What a provider serves itself. The caller is told to it, the provider decides what a call without one may do. */
export function providerPages({ pages, bodyLimitBytes, identify }: ProviderPagesOptions): (request: PlainRequest) => Promise<Answer> {
  const callerOf = async (request: PlainRequest): Promise<Caller | null> => {
    try {
      return await identify({ headers: request.headers, remoteAddress: request.remoteAddress });
    } catch (error) {
      // A page may be open to all, or have a sign-in of its own in the same header.
      if (error instanceof AccessError && error.code === 'UNAUTHENTICATED') return null;
      throw error;
    }
  };

  return async request => {
    const [, , name = '', ...rest] = request.path.split('/');
    const page = pages.get(name);
    if (page === undefined) return errorAnswer(404, 'NOT_FOUND', 'Nothing is served here.');
    if (rest.length === 0) return { status: 308, headers: { location: `${request.path}/` } };
    try {
      const caller = await callerOf(request);
      return await page({
        method: request.method, path: `/${rest.join('/')}`, query: request.query, headers: request.plainHeaders, caller,
        readBody: () => request.readBody(bodyLimitBytes, caller?.organizationId ?? NOBODY),
      });
    } catch (error) {
      if (error instanceof InvalidInputError) return errorAnswer(400, error.code, error.message);
      if (error instanceof NotFoundError) return errorAnswer(404, error.code, error.message);
      throw error;
    }
  };
}
