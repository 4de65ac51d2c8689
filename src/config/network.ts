/**
 * Formats `host:port` for a URL. Replaces an unspecified address with a loopback address that local programs can open.
 */
export function authorityOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
