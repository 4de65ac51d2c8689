import type { RawRequest } from '../http/raw-request';

export interface JournalEntry {
  method: string;
  path: string;
  /** Query parameters as they came, without the leading `?`. */
  query: string;
  /** The answer's status; `cut` and `hung` when a fault gave none, `pending` while it runs. */
  status: number | 'cut' | 'hung' | 'pending';
  at: Date;
}

/** Every request to the API, in the order of arrival. Tokens and bodies are not kept. */
export class Journal {
  readonly entries: JournalEntry[] = [];

  constructor(private readonly clock: () => Date) {}

  open(request: RawRequest): JournalEntry {
    const entry: JournalEntry = {
      method: request.method, path: request.path, query: request.search.toString(), status: 'pending', at: this.clock(),
    };
    this.entries.push(entry);
    return entry;
  }

  clear(): void {
    this.entries.length = 0;
  }
}
