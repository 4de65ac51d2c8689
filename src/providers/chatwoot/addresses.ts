import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** Everything that is not the public internet: our own machine, the local network, metadata services. */
const NOT_PUBLIC = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24],
  ['192.168.0.0', 16], ['198.18.0.0', 15], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) NOT_PUBLIC.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [['::', 128], ['::1', 128], ['64:ff9b::', 96], ['fc00::', 7], ['fe80::', 10], ['ff00::', 8]] as const)
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv6');

const isPrivateAddress = (address: string): boolean => NOT_PUBLIC.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

/** As far as the name alone tells. */
export function isPrivateHost(hostname: string): boolean {
  const host = bare(hostname);
  return isIP(host) ? isPrivateAddress(host) : !host.includes('.') || host.endsWith('.localhost') || host.endsWith('.local') || host.endsWith('.internal');
}

/** Whether a name leads anywhere but to public addresses. A name that leads nowhere is not private. */
export async function leadsToPrivate(hostname: string): Promise<boolean> {
  const host = bare(hostname);
  if (isIP(host)) return isPrivateAddress(host);
  if (isPrivateHost(host)) return true;
  const addresses = await lookup(host, { all: true }).catch(() => []);
  return addresses.some(({ address }) => isPrivateAddress(address));
}
