import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import * as ipaddr from 'ipaddr.js';

/**
 * All that IANA has assigned as global unicast. Forms that embed an IPv4 address lie outside of it or have a range of
 * their own.
 */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Returns whether an IP address is anything but an ordinary public one: this machine, a local network, a metadata
 * service, multicast, documentation, or an IPv6 form that embeds an IPv4 address. Ranges: IANA special-purpose
 * registries, as `ipaddr.js` implements them. A string that is no address counts as private.
 */
export function isPrivateAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return true;
  // `::ffff:10.0.0.1` becomes the IPv4 address that it embeds.
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return true;
  return address instanceof ipaddr.IPv6 && (!address.match(GLOBAL_UNICAST) || isIsatap(address));
}

/** RFC 5214: any prefix, then `0:5efe` or `200:5efe`, then an IPv4 address of the network where the tunnel ends. */
const isIsatap = ({ parts }: ipaddr.IPv6): boolean => (parts[4]! & ~0x200) === 0 && parts[5] === 0x5efe;

/** Normalizes a URL's host: lower case, no brackets, no dot at the end. */
export const normalizeHost = (hostname: string): string =>
  hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');

/** Returns whether a host is private, judged by the name alone. */
export function isPrivateHost(hostname: string): boolean {
  const host = normalizeHost(hostname);
  return isIP(host) !== 0
    ? isPrivateAddress(host)
    : !host.includes('.') || /\.(localhost|local|internal|home\.arpa)$/.test(host);
}

/** Returns whether a host can only mean this machine. */
export function isLoopback(hostname: string): boolean {
  const host = normalizeHost(hostname);
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** The resolver did not respond in time, or lookups of other names occupied all slots for that long. */
export class LookupTimeoutError extends Error {}

/** Maximum number of remembered names that resolved before. */
const MOST_WORKED = 10_000;

interface Waiter {
  readonly host: string;
  wake(): void;
}

/**
 * Resolves names that tenants gave. A lookup occupies one of the process's few threads until the resolver responds,
 * even if the caller no longer waits. So only a few run at the same time, one per name and per domain, and some slots
 * are reserved for names that resolved before.
 */
export class NameLookups {
  /** Limit of one call, including the wait for a slot. In milliseconds. Null: no limit. */
  limitMs: number | null = null;
  private readonly running = new Map<string, Promise<readonly Address[]>>();
  private readonly domains = new Set<string>();
  private readonly waiting = new Set<Waiter>();
  /** Newest last. */
  private readonly worked = new Set<string>();
  private newRunning = 0;

  /**
   * @param atOnce maximum number of concurrent lookups
   * @param ofNewNames how many of them may be for names that never resolved, of which a tenant can invent any number
   */
  constructor(
    private readonly resolve: (host: string) => Promise<readonly Address[]>,
    private readonly atOnce: number,
    private readonly ofNewNames = atOnce,
  ) {}

  /** @throws NoAnswerInTimeError, or the resolver's error */
  readonly addressesOf = async (host: string): Promise<readonly Address[]> => {
    const over = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      if (this.limitMs !== null)
        timer = setTimeout(() => {
          over.abort();
          reject(new LookupTimeoutError(`The name ${host} was not resolved in time.`));
        }, this.limitMs);
    });
    return Promise.race([this.waitForResult(host, over.signal), late]).finally(() => clearTimeout(timer));
  };

  private async waitForResult(host: string, over: AbortSignal): Promise<readonly Address[]> {
    while (!over.aborted) {
      const known = this.running.get(host);
      if (known !== undefined) return known;
      if (this.mayStart(host)) return this.startLookup(host);
      await this.waitForSlot(host, over);
    }
    // This call timed out, so another one may use the slot.
    this.releaseSlot();
    return [];
  }

  private mayStart(host: string): boolean {
    return (
      this.running.size < this.atOnce &&
      !this.domains.has(domainOf(host)) &&
      (this.worked.has(host) || this.newRunning < this.ofNewNames)
    );
  }

  private startLookup(host: string): Promise<readonly Address[]> {
    const domain = domainOf(host);
    const isNew = !this.worked.has(host);
    if (isNew) this.newRunning += 1;
    this.domains.add(domain);
    const answer = this.resolve(host)
      .then(addresses => {
        this.remember(host);
        return addresses;
      })
      .finally(() => {
        this.running.delete(host);
        this.domains.delete(domain);
        if (isNew) this.newRunning -= 1;
        this.releaseSlot();
      });
    this.running.set(host, answer);
    this.releaseSlot();
    return answer;
  }

  private remember(host: string): void {
    this.worked.delete(host);
    this.worked.add(host);
    const [oldest] = this.worked;
    if (this.worked.size > MOST_WORKED && oldest !== undefined) this.worked.delete(oldest);
  }

  private waitForSlot(host: string, over: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const waiter = { host, wake: resolve };
      this.waiting.add(waiter);
      over.addEventListener(
        'abort',
        () => {
          if (this.waiting.delete(waiter)) resolve();
        },
        { once: true },
      );
    });
  }

  /**
   * Wakes all calls that can join a running lookup, and the first one that can start its own; that one wakes the next.
   */
  private releaseSlot(): void {
    for (const waiter of [...this.waiting]) {
      const joins = this.running.has(waiter.host);
      if (!joins && !this.mayStart(waiter.host)) continue;
      this.waiting.delete(waiter);
      waiter.wake();
      if (!joins) return;
    }
  }
}

/** Returns the domain that one owner controls, judged by the text: `shop.example`, `shop.co.uk`. */
function domainOf(host: string): string {
  const labels = host.split('.');
  const [second = '', top = ''] = labels.slice(-2);
  return labels.slice(top.length === 2 && second.length <= 3 ? -3 : -2).join('.');
}

/**
 * The lookups of this process. Of libuv's four threads, one is always left, and two while names that never resolved get
 * no response.
 */
export const tenantNameLookups = new NameLookups(host => lookup(host, { all: true }), 3, 2);
