import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** Everything that is not the public internet: our own machine, the local network, metadata services. */
const NOT_PUBLIC = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24],
  ['192.0.2.0', 24], ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) NOT_PUBLIC.addSubnet(network, prefix, 'ipv4');
// Besides private ones: what wraps an IPv4 address, which could be any of those above.
for (const [network, prefix] of [
  ['::', 96], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['2001::', 32], ['2002::', 16], ['fc00::', 7], ['fe80::', 10], ['fec0::', 10], ['ff00::', 8],
] as const) NOT_PUBLIC.addSubnet(network, prefix, 'ipv6');

/** `::ffff:10.0.0.1` is looked at as the IPv4 address in it. */
export const isPrivateAddress = (address: string): boolean => NOT_PUBLIC.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

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

/**
 * Looks up names that tenants gave. Each look-up holds one of the process's few threads until the resolver answers, whoever
 * still wants to know; so few run at once, and of one name only one.
 */
export class NameLookups {
  /** Milliseconds for one question, with waiting for its turn. Null: as long as the resolver takes. */
  limitMs: number | null = null;
  private readonly running = new Map<string, Promise<readonly Address[]>>();
  private readonly waiting = new Set<() => void>();

  constructor(private readonly resolve: (host: string) => Promise<readonly Address[]>, private readonly atOnce: number) {}

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
      if (this.running.size < this.atOnce) return this.start(host);
      await this.room(over);
    }
    // Another one may use the place that came too late.
    this.callNext();
    return [];
  }

  private start(host: string): Promise<readonly Address[]> {
    const answer = this.resolve(host).finally(() => {
      this.running.delete(host);
      this.callNext();
    });
    this.running.set(host, answer);
    return answer;
  }

  private room(over: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      this.waiting.add(resolve);
      over.addEventListener('abort', () => { if (this.waiting.delete(resolve)) resolve(); }, { once: true });
    });
  }

  private callNext(): void {
    const [next] = this.waiting;
    if (next === undefined) return;
    this.waiting.delete(next);
    next();
  }
}

/** One for the process, as its threads are: of libuv's four, two are always left. */
export const tenantNames = new NameLookups(host => lookup(host, { all: true }), 2);

/** Whether a name leads anywhere but to public addresses. A name that leads nowhere is not private. @throws NoAnswerInTimeError */
export async function leadsToPrivate(hostname: string, names: NameLookups = tenantNames): Promise<boolean> {
  const host = bareHost(hostname);
  if (isIP(host) !== 0 || isPrivateHost(host)) return isPrivateHost(host);
  try {
    return (await names.addressesOf(host)).some(({ address }) => isPrivateAddress(address));
  } catch (error) {
    if (error instanceof NoAnswerInTimeError) throw error;
    return false;
  }
}
