/** `host:port` as it stands in a URL; the unspecified addresses become a loopback that a program here can open. */
export function authorityOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
