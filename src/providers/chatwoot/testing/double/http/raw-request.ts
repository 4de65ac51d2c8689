import type { Json } from '../model';

/** A request as the server got it, before anybody asked what it means. */
export interface RawRequest {
  method: string;
  path: string;
  search: URLSearchParams;
  headers: Record<string, string | undefined>;
  address: string;
  body: Buffer;
  /** Parameters already taken apart, for requests that never were on a wire. */
  params?: Json;
}
