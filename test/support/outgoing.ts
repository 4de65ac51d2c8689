import type { Address } from '../../src/addresses';
import { createOutgoing, type Outgoing, type PrivateAddresses } from '../../src/outgoing';
import { HttpPush } from '../../src/push';

/** A resolver that knows these names only. It reads the record at each call, so a test can move a name. */
export const resolverOf = (known: Readonly<Record<string, string>>) => async (host: string): Promise<readonly Address[]> => {
  const address = known[host];
  if (address === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  return [{ address, family: address.includes(':') ? 6 : 4 }];
};

/** The client for tenants' addresses, as an operator has configured it. */
export const outgoingWith = (allowed: Partial<PrivateAddresses> = {}, addressesOf?: (host: string) => Promise<readonly Address[]>, now: () => number = Date.now): Outgoing =>
  createOutgoing({ allowed: { all: false, hosts: [], networks: [], ...allowed }, now, connectMs: 10_000, ...(addressesOf && { names: { addressesOf } }) });

export const pushWith = ({ fetchOnce, whyRefused }: Outgoing): HttpPush => new HttpPush({ fetch: fetchOnce, whyRefused, now: Date.now });

/** A push that may call endpoints of the test on this machine. */
export const pushAnywhere = (): HttpPush => pushWith(outgoingWith({ all: true }));
