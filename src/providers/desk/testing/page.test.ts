import { readdirSync } from 'node:fs';
import path from 'node:path';
import { openWorld, type DeskWorld } from './world';

describe('the page of the desk', () => {
  let world: DeskWorld;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.stop());

  const links = (text: string) =>
    [...text.matchAll(/(?:src|href)="([\w.-]+)"|from '\.\/([\w.-]+)'/g)].map(found => found[1] ?? found[2]!);

  it('is served with all its files without identity, because it holds no data', async () => {
    const served = new Map<string, string>();
    const wanted = [''];
    for (let name = wanted.shift(); name !== undefined; name = wanted.shift()) {
      if (served.has(name)) continue;
      const { status, headers, body } = await world.call({ path: `/${name}` });
      expect([name, status]).toEqual([name, 200]);
      served.set(name, headers['content-type']!);
      wanted.push(...links(body));
    }
    expect(served.get('')).toBe('text/html; charset=utf-8');
    const files = readdirSync(path.join(__dirname, '..', 'page')).filter(name => name !== 'index.html');
    expect([...served.keys()].filter(name => name !== '').sort()).toEqual(files.sort());
  });

  it('runs and loads only its own files, and is framed by this service only', async () => {
    const { headers, body } = await world.call({ path: '/' });
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'self'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(body).not.toMatch(/<style|style=|onclick|<script(?![^>]*src=)/);
  });

  it.each(['/../index.ts', '/..%2f..%2fregistry.ts', '/entities.ts', '/constructor', '/files/short/a.png'])(
    'serves nothing else: %s',
    async address => {
      expect((await world.call({ path: address })).status).toBe(404);
    },
  );

  it('is read-only', async () => {
    expect((await world.call({ method: 'POST', path: '/' })).status).toBe(405);
    expect((await world.call({ method: 'HEAD', path: '/' })).status).toBe(200);
  });
});
