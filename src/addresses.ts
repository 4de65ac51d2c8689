import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import * as ipaddr from 'ipaddr.js';

/** All that IANA has given out as global unicast; what wraps or maps an IPv4 address stands outside of it or has a range of its own. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Says whether an IP address is anything but an ordinary public one: this machine, a local network, a metadata service,
 * multicast, documentation, or an IPv6 form that carries an IPv4 address. Ranges: IANA special-purpose registries, as
 * `ipaddr.js` knows them. A text that is no address counts as private.
 */
export function isPrivateAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return true;
  // `::ffff:10.0.0.1` is the IPv4 address in it.
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return true;
  return address instanceof ipaddr.IPv6 && (!address.match(GLOBAL_UNICAST) || isIsatap(address));
}

/** RFC 5214: any prefix, then `0:5efe` or `200:5efe`, then an IPv4 address of the network that the tunnel ends in. */
const isIsatap = ({ parts }: ipaddr.IPv6): boolean => (parts[4]! & ~0x200) === 0 && parts[5] === 0x5efe;

/** As it stands in a URL: without brackets and without the dot that ends a full name. */
export const bareHost = (hostname: string): string => hostname.toLowerCase().replace(/^\[|\]$/g, '').replace(/\.$/, '');

/** As far as the name alone tells. */
export function isPrivateHost(hostname: string): boolean {
  const host = bareHost(hostname);
  return isIP(host) !== 0 ? isPrivateAddress(host) : !host.includes('.') || /\.(localhost|local|internal|home\.arpa)$/.test(host);
}

/** Whether it can only mean this machine. */
export function isLoopback(hostname: string): boolean {
  const host = bareHost(hostname);
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

export interface Address { readonly address: string; readonly family: number }

/** No answer came in time, or names that do not answer were in the way for so long. */
export class NoAnswerInTimeError extends Error {}

/** Names that are remembered as having worked. */
const MOST_WORKED = 10_000;

interface Waiter { readonly host: string; wake(): void }

/**
 * Looks up names that tenants gave. Each look-up holds one of the process's few threads until the resolver answers, whoever
 * still wants to know; so few run at once, of one name and of one domain only one, and some are left for names that worked.
 */
export class NameLookups {
  /** Milliseconds for one question, with waiting for its turn. Null: as long as the resolver takes. */
  limitMs: number | null = null;
  private readonly running = new Map<string, Promise<readonly Address[]>>();
  private readonly domains = new Set<string>();
  private readonly waiting = new Set<Waiter>();
  /** The newest come last. */
  private readonly worked = new Set<string>();
  private newRunning = 0;

  /**
   * @param atOnce look-ups at once
   * @param ofNewNames how many of them names may have that never worked; anybody can make up any number of those
   */
  constructor(private readonly resolve: (host: string) => Promise<readonly Address[]>, private readonly atOnce: number, private readonly ofNewNames = atOnce) {}

  /** @throws NoAnswerInTimeError, or what the resolver says */
  readonly addressesOf = async (host: string): Promise<readonly Address[]> => {
    const over = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      if (this.limitMs !== null) timer = setTimeout(() => { over.abort(); reject(new NoAnswerInTimeError(`${host} was not found in time.`)); }, this.limitMs);
    });
    return Promise.race([this.found(host, over.signal), late]).finally(() => clearTimeout(timer));
  };

  private async found(host: string, over: AbortSignal): Promise<readonly Address[]> {
    while (!over.aborted) {
      const known = this.running.get(host);
      if (known !== undefined) return known;
      if (this.mayStart(host)) return this.start(host);
      await this.room(host, over);
    }
    // Another one may use the place that came too late.
    this.callNext();
    return [];
  }

  private mayStart(host: string): boolean {
    return this.running.size < this.atOnce && !this.domains.has(domainOf(host)) && (this.worked.has(host) || this.newRunning < this.ofNewNames);
  }

  private start(host: string): Promise<readonly Address[]> {
    const domain = domainOf(host);
    const isNew = !this.worked.has(host);
    if (isNew) this.newRunning += 1;
    this.domains.add(domain);
    const answer = this.resolve(host).then(addresses => { this.remember(host); return addresses; }).finally(() => {
      this.running.delete(host);
      this.domains.delete(domain);
      if (isNew) this.newRunning -= 1;
      this.callNext();
    });
    this.running.set(host, answer);
    this.callNext();
    return answer;
  }

  private remember(host: string): void {
    this.worked.delete(host);
    this.worked.add(host);
    const [oldest] = this.worked;
    if (this.worked.size > MOST_WORKED && oldest !== undefined) this.worked.delete(oldest);
  }

  private room(host: string, over: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const waiter = { host, wake: resolve };
      this.waiting.add(waiter);
      over.addEventListener('abort', () => { if (this.waiting.delete(waiter)) resolve(); }, { once: true });
    });
  }

  /** Wakes whoever can join a look-up, and the first one that can begin its own: once that has begun, it calls the next. */
  private callNext(): void {
    for (const waiter of [...this.waiting]) {
      const joins = this.running.has(waiter.host);
      if (!joins && !this.mayStart(waiter.host)) continue;
      this.waiting.delete(waiter);
      waiter.wake();
      if (!joins) return;
    }
  }
}

/** What one owner has under one name, as far as the text tells: `shop.example`, `shop.co.uk`. */
function domainOf(host: string): string {
  const labels = host.split('.');
  const [second = '', top = ''] = labels.slice(-2);
  return labels.slice(top.length === 2 && second.length <= 3 ? -3 : -2).join('.');
}

/** One for the process, as its threads are: of libuv's four, one is always left, and two while names that never worked do not answer. */
export const tenantNames = new NameLookups(host => lookup(host, { all: true }), 3, 2);
