import type { Address } from '../addresses';
import { createOutgoing, type Outgoing, type PrivateAddresses } from '../tenant-fetch';
import { HttpPush } from '../push';

/**
 * Creates a resolver that knows only these names. It reads the record at each call, so a test can change an address.
 */
export const createResolver =
  (known: Readonly<Record<string, string>>) =>
  async (host: string): Promise<readonly Address[]> => {
    const address = known[host];
    if (address === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    return [{ address, family: address.includes(':') ? 6 : 4 }];
  };

/** Creates the client for tenants' addresses, as an operator would configure it. */
export const createTestFetch = (
  allowed: Partial<PrivateAddresses> = {},
  addressesOf?: (host: string) => Promise<readonly Address[]>,
  now: () => number = Date.now,
): Outgoing =>
  createOutgoing({
    allowed: { all: false, hosts: [], networks: [], ...allowed },
    now,
    connectMs: 10_000,
    ...(addressesOf && { names: { addressesOf } }),
  });

export const createPush = ({ fetchOnce, addressProblem }: Outgoing): HttpPush =>
  new HttpPush({ fetch: fetchOnce, addressProblem, now: Date.now });

/** Creates a push client that may call endpoints of the test on this machine. */
export const createUnrestrictedPush = (): HttpPush => createPush(createTestFetch({ all: true }));
