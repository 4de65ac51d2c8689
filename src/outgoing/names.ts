import { lookup } from 'node:dns/promises';
import { bareHost, isLoopback, type Address, type NameLookups } from '../addresses';

/** For how long addresses count as fresh, and for how long they are used while the name is looked up again. */
const FRESH_MS = 30_000;
const USABLE_MS = 10 * 60_000;
const MOST_NAMES = 10_000;

/**
 * Finds the addresses of names that tenants gave, and remembers them. A name that no server answers for would hold one of
 * the process's few threads at each connection; so names are looked up in turns, and one that works is not waited for.
 */
export class KnownNames {
  private readonly known = new Map<string, { readonly at: number; readonly addresses: readonly Address[] }>();

  constructor(private readonly names: Pick<NameLookups, 'addressesOf'>, private readonly now: () => number) {}

  /** Called before each new connection. @throws NoAnswerInTimeError, or what the resolver says */
  async addressesOf(hostname: string): Promise<readonly Address[]> {
    const host = bareHost(hostname);
    // This machine's own file of names answers at once.
    if (isLoopback(host)) return lookup(host, { all: true });
    const known = this.known.get(host);
    const ageMs = this.now() - (known?.at ?? Number.NEGATIVE_INFINITY);
    if (known === undefined || ageMs > USABLE_MS) return this.find(host);
    if (ageMs > FRESH_MS) this.find(host).catch(() => undefined);
    return known.addresses;
  }

  private async find(host: string): Promise<readonly Address[]> {
    try {
      const addresses = await this.names.addressesOf(host);
      this.remember(host, addresses);
      return addresses;
    } catch (error) {
      // Only the word that there is no such name counts against one that worked: that nobody answered now says nothing of it.
      if (isUnknownName(error)) this.known.delete(host);
      throw error;
    }
  }

  private remember(host: string, addresses: readonly Address[]): void {
    this.known.delete(host);
    this.known.set(host, { at: this.now(), addresses });
    const [oldest] = this.known.keys();
    if (this.known.size > MOST_NAMES && oldest !== undefined) this.known.delete(oldest);
  }
}

const isUnknownName = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOTFOUND';
