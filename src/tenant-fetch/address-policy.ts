import { isIP } from 'node:net';
import * as ipaddr from 'ipaddr.js';
import { normalizeHost, isPrivateAddress, isPrivateHost, type Address } from '../addresses';

/** The value of SUPPORT_ALLOW_PRIVATE_ADDRESSES. */
export interface PrivateAddresses {
  readonly all: boolean;
  /** Names that may resolve to any address; lower case. */
  readonly hosts: readonly string[];
  /** In CIDR notation. */
  readonly networks: readonly string[];
}

/** Decides which addresses this service may call for tenants: public ones, and those that the operator allows. */
export class AddressPolicy {
  private readonly networks: readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[];

  constructor(private readonly allowed: PrivateAddresses) {
    this.networks = allowed.networks.map(networkOf);
  }

  /**
   * Returns whether the host may be called, judged by its text. Each address to which a name resolves is checked too.
   */
  permitsHost(hostname: string): boolean {
    const host = normalizeHost(hostname);
    if (isIP(host) !== 0) return this.permits(host, host);
    return this.isAllowedName(host) || this.networks.length > 0 || !isPrivateHost(host);
  }

  /** Returns whether this name may resolve to this address. */
  permits(hostname: string, address: string): boolean {
    return this.isAllowedName(normalizeHost(hostname)) || !isPrivateAddress(address) || this.isAllowedAddress(address);
  }

  /** One private address refuses the name, because the system may connect to any of the addresses. */
  permitsAll(hostname: string, addresses: readonly Address[]): boolean {
    return addresses.every(({ address }) => this.permits(hostname, address));
  }

  private isAllowedName(host: string): boolean {
    return this.allowed.all || this.allowed.hosts.includes(host);
  }

  private isAllowedAddress(text: string): boolean {
    if (this.networks.length === 0 || isIP(text) === 0) return false;
    const address = ipaddr.process(text);
    return this.networks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  }
}

function networkOf(text: string): readonly [ipaddr.IPv4 | ipaddr.IPv6, number] {
  return text.includes(':') ? ipaddr.IPv6.parseCIDR(text) : ipaddr.IPv4.parseCIDR(text);
}
