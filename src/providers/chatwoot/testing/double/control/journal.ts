import type { RawRequest } from '../http/raw-request';

export interface JournalEntry {
  method: string;
  path: string;
  /** Query parameters as received, without the leading `?`. */
  query: string;
  /** The response's status. `cut` and `hung` if a fault prevented a response, `pending` while the request runs. */
  status: number | 'cut' | 'hung' | 'pending';
  at: Date;
}

/** All requests to the API, in the order of arrival. Without tokens and bodies. */
export class Journal {
  readonly entries: JournalEntry[] = [];

  constructor(private readonly clock: () => Date) {}

  open(request: RawRequest): JournalEntry {
    const entry: JournalEntry = {
      method: request.method,
      path: request.path,
      query: request.search.toString(),
      status: 'pending',
      at: this.clock(),
    };
    this.entries.push(entry);
    return entry;
  }

  clear(): void {
    this.entries.length = 0;
  }
}
