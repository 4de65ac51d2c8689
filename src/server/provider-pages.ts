import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../core/caller';
import { AccessError, InvalidInputError, NotFoundError } from '../core/errors';
import type { ProviderHttpRequest, ProviderHttpResponse } from '../core/ports/support-provider';
import { errorAnswer, type Answer, type StreamAnswer } from './answer';
import type { PlainRequest } from './plain-request';

export type ProviderPage = (request: ProviderHttpRequest) => Promise<ProviderHttpResponse>;

export interface ProviderPagesOptions {
  /** By provider name; mounted at `/providers/<name>/`. */
  readonly pages: ReadonlyMap<string, ProviderPage>;
  readonly bodyLimitBytes: number;
  /** Whether everybody may have what lies there, e.g. because the address itself is the proof. Nobody is identified then. */
  isOpen(provider: string, path: string): boolean;
  identify(credentials: { readonly headers: IncomingHttpHeaders; readonly remoteAddress: string | undefined }): Promise<Caller>;
}

/** All callers whom nobody knows share one part. */
export const NOBODY = '';

/** A call of a page, once it is known who calls. */
export interface PageCall {
  /** Whose part of the places and of the bodies it takes. */
  readonly sender: string;
  /** @throws what the page and its body throw */
  answer(request: PlainRequest): Promise<Answer | StreamAnswer>;
}

/**
 * What a provider serves itself. The caller is told to it, the provider decides what a call without one may do.
 * @returns says who calls, before anything is read and outside of all places; null where no page is
 */
export function providerPages({ pages, bodyLimitBytes, isOpen, identify }: ProviderPagesOptions): (request: PlainRequest) => Promise<PageCall | null> {
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
    if (page === undefined) return null;
    if (rest.length === 0) return { sender: NOBODY, answer: async () => ({ status: 308, headers: { location: `${request.path}/` } }) };
    const path = `/${rest.join('/')}`;
    const caller = isOpen(name, path) ? null : await callerOf(request);
    const sender = caller?.organizationId ?? NOBODY;
    return { sender, answer: within => answerOf(page, { path, caller, readBody: () => within.readBody(bodyLimitBytes, sender) }, within) };
  };
}

async function answerOf(page: ProviderPage, call: Pick<ProviderHttpRequest, 'path' | 'caller' | 'readBody'>, { method, query, plainHeaders }: PlainRequest): Promise<Answer | StreamAnswer> {
  try {
    const { body, ...head } = await page({ method, query, headers: plainHeaders, ...call });
    return typeof body === 'string' || Buffer.isBuffer(body) ? { ...head, body } : { ...head, stream: body };
  } catch (error) {
    if (error instanceof InvalidInputError) return errorAnswer(400, error.code, error.message);
    if (error instanceof NotFoundError) return errorAnswer(404, error.code, error.message);
    throw error;
  }
}
