import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isPrivateAddress, NameLookups, type Address } from '../../../src/addresses';
import { AddressCache } from '../../../src/tenant-fetch/address-cache';
import { createTestFetch, createResolver } from '../../../src/testing/tenant-fetch';

describe('addresses that are not public', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.0.1',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'fd00::1',
    'fc00::1',
    'ff02::1',
    '2001:db8::1',
    '100::1',
    '4000::1',
    // All forms that wrap an IPv4 address: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
    '::ffff:10.0.0.1',
    '::7f00:1',
    '::ffff:0:10.0.0.1',
    '64:ff9b::a00:1',
    '64:ff9b:1::a00:1',
    '2002:a00:1::',
    '2001::a00:1',
    '2606:2800:220:1:0:5efe:a00:1',
    '2606:2800:220:1:200:5efe:a00:1',
    'no address',
    '',
  ])('%s', address => expect(isPrivateAddress(address)).toBe(true));

  it.each(['8.8.8.8', '93.184.216.34', '172.32.0.1', '::ffff:8.8.8.8', '2606:2800:220:1::1'])('but %s is', address =>
    expect(isPrivateAddress(address)).toBe(false),
  );
});

describe("a call to a tenant's address", () => {
  let server: Server;
  let port: number;
  const arrived: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      arrived.push(`${request.headers.host} ${request.url}`);
      if (request.url === '/to-address') response.writeHead(302, { location: `http://127.0.0.1:${port}/secret` }).end();
      else if (request.url === '/to-name')
        response.writeHead(302, { location: `http://inside.example:${port}/secret` }).end();
      else response.end('answer');
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(
    () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  beforeEach(() => {
    arrived.length = 0;
  });

  const codeOf = (call: Promise<Response>) =>
    call.then(
      ({ status }) => status,
      ({ code }: { code?: string }) => code,
    );

  it('connects to the checked address: a name that changes between two lookups reaches no private network', async () => {
    // A rebinding resolver: public at the first lookup, this machine at each later one.
    let questions = 0;
    let time = 0;
    const { fetch, fetchOnce, addressProblem } = createTestFetch(
      {},
      async () => [{ address: questions++ === 0 ? '93.184.216.34' : '127.0.0.1', family: 4 }],
      () => (time += 3_600_000),
    );
    expect(await addressProblem(`http://rebinding.example:${port}/`)).toBeNull();
    for (const call of [fetch, fetchOnce])
      expect(await codeOf(call(`http://rebinding.example:${port}/secret`))).toBe('ADDRESS_REFUSED');
    expect(questions).toBe(3);
    expect(arrived).toEqual([]);
  });

  it('resolves a name once, and connects to the result', async () => {
    let questions = 0;
    const { fetch } = createTestFetch({ networks: ['127.0.0.0/8'] }, async () => {
      questions += 1;
      return [{ address: '127.0.0.1', family: 4 }];
    });
    expect(await (await fetch(`http://once.example:${port}/x`)).text()).toBe('answer');
    expect([questions, arrived]).toEqual([1, [`once.example:${port} /x`]]);
  });

  it('refuses a name with one private address among several', async () => {
    const both: readonly Address[] = [
      { address: '93.184.216.34', family: 4 },
      { address: '::ffff:127.0.0.1', family: 6 },
    ];
    expect(await codeOf(createTestFetch({}, async () => both).fetch(`http://both.example:${port}/`))).toBe(
      'ADDRESS_REFUSED',
    );
  });

  it.each([
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::7f00:1]',
    'localhost',
    'x.localhost',
    'LOCALHOST.',
    '%6cocalhost',
    '１２７.0.0.1',
  ])('refuses %s, which is this machine, before anything is sent', async host => {
    const { fetch, fetchOnce, addressProblem } = createTestFetch();
    for (const call of [fetch, fetchOnce])
      expect(await codeOf(call(`http://${host}:${port}/`))).toBe('ADDRESS_REFUSED');
    expect(await addressProblem(`http://${host}:${port}/`)).toContain('SUPPORT_ALLOW_PRIVATE_ADDRESSES');
    expect(arrived).toEqual([]);
  });

  it('checks the target of a redirect, however it is followed', async () => {
    const names = createResolver({ 'allowed.example': '127.0.0.1', 'inside.example': '127.0.0.1' });
    const { fetch } = createTestFetch({ hosts: ['allowed.example'] }, names);
    for (const path of ['/to-address', '/to-name']) {
      const call = fetch(`http://allowed.example:${port}${path}`);
      expect(await codeOf(call)).toBe('ADDRESS_REFUSED');
    }
    expect(arrived).toEqual([`allowed.example:${port} /to-address`, `allowed.example:${port} /to-name`]);
  });

  it('allows what the operator allows: by name, by network, or everything', async () => {
    const names = createResolver({ 'chatwoot.internal': '127.0.0.1', 'other.internal': '127.0.0.1' });
    const by = (allowed: Parameters<typeof createTestFetch>[0]) =>
      Promise.all(
        ['chatwoot.internal', 'other.internal', '127.0.0.1', 'localhost'].map(host =>
          codeOf(createTestFetch(allowed, names).fetch(`http://${host}:${port}/`)),
        ),
      );
    const no = 'ADDRESS_REFUSED';
    expect(await by({})).toEqual([no, no, no, no]);
    expect(await by({ hosts: ['chatwoot.internal'] })).toEqual([200, no, no, no]);
    expect(await by({ networks: ['127.0.0.1/32', '::1/128'] })).toEqual([200, 200, 200, 200]);
    expect(await by({ networks: ['10.0.0.0/8'] })).toEqual([no, no, no, no]);
    expect(await by({ all: true })).toEqual([200, 200, 200, 200]);
  });
});

describe('name lookups of tenants', () => {
  const FOUND: readonly Address[] = [{ address: '192.0.2.1', family: 4 }];
  const never = () => new Promise<never>(() => undefined);
  const settled = () => new Promise(resolve => setImmediate(resolve));
  let asked: string[];
  let answers: Map<string, () => Promise<readonly Address[]>>;
  let time: { ms: number };
  let known: AddressCache;
  beforeEach(() => {
    [asked, answers, time] = [[], new Map(), { ms: 1_000_000 }];
    const names = new NameLookups(host => {
      asked.push(host);
      return (answers.get(host) ?? (async () => FOUND))();
    }, 2);
    names.limitMs = 50;
    known = new AddressCache(names, () => time.ms);
  });

  it('occupy one thread each, however many calls wait for a name without a response, and those calls fail', async () => {
    answers.set('dead.example', never);
    const { fetch } = createTestFetch({ all: true }, host => known.addressesOf(host));
    const dead = Array.from({ length: 8 }, () =>
      fetch('http://dead.example/x').then(
        () => null,
        (error: Error) => error,
      ),
    );
    expect(await known.addressesOf('alive.example')).toEqual(FOUND);
    for (const error of await Promise.all(dead))
      expect(error).toMatchObject({ message: 'fetch failed', cause: { code: 'EAI_AGAIN' } });
    expect(asked).toEqual(expect.arrayContaining(['dead.example', 'alive.example']));
    expect(asked.filter(host => host === 'dead.example').length).toBe(1);
  });

  it('of nonexistent names fail as fetch reports it', async () => {
    const { fetch } = createTestFetch({}, createResolver({}));
    await expect(fetch('http://none.example/x')).rejects.toMatchObject({
      message: 'fetch failed',
      cause: { code: 'ENOTFOUND' },
    });
  });

  it('that worked are remembered while the name server does not respond', async () => {
    await known.addressesOf('alive.example');
    answers.set('alive.example', () => Promise.reject(Object.assign(new Error('try again'), { code: 'EAI_AGAIN' })));
    for (let i = 0; i < 3; i++) {
      time.ms += 60_000;
      expect(await known.addressesOf('alive.example')).toEqual(FOUND);
      await settled();
    }
  });

  it('are cached, used during a refresh, and dropped once that fails', async () => {
    for (let i = 0; i < 3; i++) await known.addressesOf('alive.example');
    expect(asked).toHaveLength(1);
    let fail = (_error: Error): void => undefined;
    answers.set(
      'alive.example',
      () =>
        new Promise((_, reject) => {
          fail = reject;
        }),
    );
    time.ms += 60_000;
    for (let i = 0; i < 3; i++) expect(await known.addressesOf('alive.example')).toEqual(FOUND);
    expect(asked).toHaveLength(2);
    fail(Object.assign(new Error('gone'), { code: 'ENOTFOUND' }));
    await settled();
    answers.set('alive.example', () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOTFOUND' })));
    await expect(known.addressesOf('alive.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('are repeated before the call when the result is old', async () => {
    await known.addressesOf('alive.example');
    answers.set('alive.example', never);
    time.ms += 60 * 60_000;
    await expect(known.addressesOf('alive.example')).rejects.toThrow('not resolved in time');
  });

  it('of this machine need no slot', async () => {
    expect((await known.addressesOf('localhost')).map(({ address }) => address)).toEqual(
      expect.arrayContaining(['127.0.0.1']),
    );
    expect(asked).toEqual([]);
  });
});
