import { lookup } from 'node:dns/promises';
import { normalizeHost, isLoopback, type Address, type NameLookups } from '../addresses';

/** Age up to which addresses are fresh, and up to which they are used while the name is resolved again. */
const FRESH_MS = 30_000;
const USABLE_MS = 10 * 60_000;
const MAX_NAMES = 10_000;

/**
 * Resolves names that tenants gave, and caches their addresses. Each lookup of a name whose server does not respond
 * occupies one of the process's few threads. So lookups are limited, and a cached name does not wait for its lookup.
 */
export class AddressCache {
  private readonly entries = new Map<string, { readonly at: number; readonly addresses: readonly Address[] }>();

  constructor(
    private readonly names: Pick<NameLookups, 'addressesOf'>,
    private readonly now: () => number,
  ) {}

  /** Called before each new connection. @throws NoAnswerInTimeError, or the resolver's error */
  async addressesOf(hostname: string): Promise<readonly Address[]> {
    const host = normalizeHost(hostname);
    // The hosts file of this machine responds immediately.
    if (isLoopback(host)) return lookup(host, { all: true });
    const known = this.entries.get(host);
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
      // Only a definite "no such name" removes a cached entry; a resolver that does not respond proves nothing.
      if (isUnknownName(error)) this.entries.delete(host);
      throw error;
    }
  }

  private remember(host: string, addresses: readonly Address[]): void {
    this.entries.delete(host);
    this.entries.set(host, { at: this.now(), addresses });
    const [oldest] = this.entries.keys();
    if (this.entries.size > MAX_NAMES && oldest !== undefined) this.entries.delete(oldest);
  }
}

const isUnknownName = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOTFOUND';
