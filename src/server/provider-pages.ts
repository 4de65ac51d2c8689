import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../core/caller';
import { AccessError } from '../core/request-errors';
import { InvalidInputError, NotFoundError } from '../core/errors';
import type { ProviderHttpRequest, ProviderHttpResponse } from '../core/ports/provider/definition';
import { errorResponse, type PlainResponse, type StreamResponse } from './plain-response';
import type { PlainRequest } from './plain-request';

export type ProviderPage = (request: ProviderHttpRequest) => Promise<ProviderHttpResponse>;

export interface ProviderPagesOptions {
  /** By the provider's name; mounted at `/providers/<name>/`. */
  readonly pages: ReadonlyMap<string, ProviderPage>;
  readonly bodyLimitBytes: number;
  /** True if a path needs no identification, e.g. because the URL itself is secret. */
  isOpen(provider: string, path: string): boolean;
  identify(credentials: {
    readonly headers: IncomingHttpHeaders;
    readonly remoteAddress: string | undefined;
  }): Promise<Caller>;
}

/** The sender of all unidentified callers, who share one share. */
export const ANONYMOUS_SENDER = '';

/** A request to a page, after identification. */
export interface PageCall {
  /** The sender whose shares of permits and bodies the request uses. */
  readonly sender: string;
  /** @throws any error of the page and of reading its body */
  answer(request: PlainRequest): Promise<PlainResponse | StreamResponse>;
}

/**
 * Serves the pages of providers. The provider gets the caller, and decides what an unidentified one may do.
 * @returns a function that identifies the caller, before anything is read and without a permit; null if there is no
 * page
 */
export function createProviderPages({
  pages,
  bodyLimitBytes,
  isOpen,
  identify,
}: ProviderPagesOptions): (request: PlainRequest) => Promise<PageCall | null> {
  const callerOf = async (request: PlainRequest): Promise<Caller | null> => {
    try {
      return await identify({ headers: request.headers, remoteAddress: request.remoteAddress });
    } catch (error) {
      // The page may be public, or have its own login in the same header.
      if (error instanceof AccessError && error.code === 'UNAUTHENTICATED') return null;
      throw error;
    }
  };

  return async request => {
    const [, , name = '', ...rest] = request.path.split('/');
    const page = pages.get(name);
    if (page === undefined) return null;
    if (rest.length === 0)
      return {
        sender: ANONYMOUS_SENDER,
        answer: async () => ({ status: 308, headers: { location: `${request.path}/` } }),
      };
    const path = `/${rest.join('/')}`;
    const caller = isOpen(name, path) ? null : await callerOf(request);
    const sender = caller?.organizationId ?? ANONYMOUS_SENDER;
    return {
      sender,
      answer: within =>
        answerOf(page, { path, caller, readBody: () => within.readBody(bodyLimitBytes, sender) }, within),
    };
  };
}

async function answerOf(
  page: ProviderPage,
  call: Pick<ProviderHttpRequest, 'path' | 'caller' | 'readBody'>,
  { method, query, plainHeaders }: PlainRequest,
): Promise<PlainResponse | StreamResponse> {
  try {
    const { body, ...head } = await page({ method, query, headers: plainHeaders, ...call });
    return typeof body === 'string' || Buffer.isBuffer(body) ? { ...head, body } : { ...head, stream: body };
  } catch (error) {
    if (error instanceof InvalidInputError) return errorResponse(400, error.code, error.message);
    if (error instanceof NotFoundError) return errorResponse(404, error.code, error.message);
    throw error;
  }
}
