import type { ResolvedOptions } from './options';

/** Sliding counters, by the double's clock. */
export class RateLimits {
  private readonly hits = new Map<string, number[]>();

  constructor(private readonly options: ResolvedOptions) {}

  /** Returns whether this request exceeds a limit. Counts it if not. */
  exceeded(method: string, path: string, address: string): boolean {
    if (this.options.exemptLoopback && isLoopback(address)) return false;
    const now = this.options.clock().getTime();
    const search = /^\/api\/v1\/accounts\/(\d+)\/contacts\/search$/.exec(path);
    return (
      this.hit(`requests ${address}`, this.options.requestsPerMinute, 60_000, now) ||
      (search !== null && this.hit(`search ${search[1]}`, this.options.contactSearchesPerMinute, 60_000, now)) ||
      (method === 'POST' &&
        path === '/auth/sign_in' &&
        this.hit(`sign in ${address}`, this.options.signInsPerFiveMinutes, 300_000, now))
    );
  }

  private hit(key: string, limit: number, windowMs: number, now: number): boolean {
    const recent = (this.hits.get(key) ?? []).filter(at => at > now - windowMs);
    this.hits.set(key, recent);
    if (recent.length >= limit) return true;
    recent.push(now);
    return false;
  }
}

function isLoopback(address: string): boolean {
  return address === '127.0.0.1' || address === '::1' || address === '::ffff:127.0.0.1';
}
