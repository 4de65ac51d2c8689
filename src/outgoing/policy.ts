import { isIP } from 'node:net';
import * as ipaddr from 'ipaddr.js';
import { bareHost, isPrivateAddress, isPrivateHost, type Address } from '../addresses';

/** What an operator allows in SUPPORT_ALLOW_PRIVATE_ADDRESSES. */
export interface PrivateAddresses {
  readonly all: boolean;
  /** Names that may lead anywhere; lower case. */
  readonly hosts: readonly string[];
  /** In CIDR notation. */
  readonly networks: readonly string[];
}

/** Decides which addresses tenants may make this service call: public ones, and what the operator allows besides. */
export class AddressPolicy {
  private readonly networks: readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[];

  constructor(private readonly allowed: PrivateAddresses) {
    this.networks = allowed.networks.map(networkOf);
  }

  /** Says whether the host may be called at all, as far as its text tells. Names are judged again by where they lead. */
  permitsHost(hostname: string): boolean {
    const host = bareHost(hostname);
    if (isIP(host) !== 0) return this.permits(host, host);
    return this.isAllowedName(host) || this.networks.length > 0 || !isPrivateHost(host);
  }

  /** Says whether this name may lead to this address. */
  permits(hostname: string, address: string): boolean {
    return this.isAllowedName(bareHost(hostname)) || !isPrivateAddress(address) || this.isAllowedAddress(address);
  }

  /** One private address among public ones refuses the name: the system may connect to any of them. */
  permitsAll(hostname: string, addresses: readonly Address[]): boolean {
    return addresses.every(({ address }) => this.permits(hostname, address));
  }

  private isAllowedName(host: string): boolean { return this.allowed.all || this.allowed.hosts.includes(host); }

  private isAllowedAddress(text: string): boolean {
    if (this.networks.length === 0 || isIP(text) === 0) return false;
    const address = ipaddr.process(text);
    return this.networks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  }
}

function networkOf(text: string): readonly [ipaddr.IPv4 | ipaddr.IPv6, number] {
  return text.includes(':') ? ipaddr.IPv6.parseCIDR(text) : ipaddr.IPv4.parseCIDR(text);
}
