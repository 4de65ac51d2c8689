import type { Json } from '../model';

/** A request as the server received it, before routing. */
export interface RawRequest {
  method: string;
  path: string;
  search: URLSearchParams;
  headers: Record<string, string | undefined>;
  address: string;
  body: Buffer;
  /** Parsed parameters, for requests that did not come over the network. */
  params?: Json;
}
