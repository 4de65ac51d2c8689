import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { loadConfig } from '../../../src/config';
import { SETTINGS } from '../../../src/config/settings';

type Environment = Readonly<Record<string, string>>;
interface Service {
  readonly image?: string;
  readonly environment?: Environment;
  readonly depends_on?: Record<string, { condition: string }>;
  readonly healthcheck?: object;
  readonly volumes?: readonly string[];
  readonly extra_hosts?: readonly string[];
  readonly networks: Record<string, { ipv4_address?: string; aliases?: string[] }> | string[];
}

const file = (name: string) => readFileSync(path.join(__dirname, '../../..', name), 'utf8');
const text = file('compose.yaml');
const compose = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  volumes: object;
  networks: { inside: { ipam: { config: { subnet: string; ip_range: string }[] } } };
};
const { services } = compose;
const inExample = new Map(
  [...file('.env.example').matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, key, value]) => [key!, value!]),
);

/** Docker was not available to run it, so this checks what can be checked by reading. */
describe('compose.yaml', () => {
  it('sets only settings that the subgraph reads and accepts', () => {
    const environment = services['support']!.environment!;
    expect(Object.keys(environment).filter(key => !(key in SETTINGS))).toEqual([]);
    const filled = Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [
        key,
        value
          .replace(/\$\{SUPPORT_SECRET_KEY:[^}]*\}/, Buffer.alloc(32, 7).toString('base64'))
          .replace(/\$\{[^}]*\}/g, 'a'.repeat(64)),
      ]),
    );
    expect(() => loadConfig(filled)).not.toThrow();
    expect(filled['SUPPORT_PUBLIC_URL']).toBe(`http://support:${filled['PORT']}`);
  });

  it('requires only values that .env.example has, and leaves secrets empty there', () => {
    const asked = new Set([...text.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, key]) => key!));
    expect([...asked].sort()).toEqual([...inExample.keys()].sort());
    const withDefault = new Set([...text.matchAll(/\$\{([A-Z_]+):-/g)].map(([, key]) => key!));
    expect([...inExample].filter(([key, value]) => (value === '') === withDefault.has(key))).toEqual([]);
  });

  it('waits only for services that exist, and for health only where it is checked', () => {
    const waits = Object.values(services).flatMap(({ depends_on: on = {} }) => Object.entries(on));
    expect(waits.length).toBeGreaterThan(0);
    for (const [name, { condition }] of waits) {
      expect(services[name]).toBeDefined();
      if (condition === 'service_healthy') expect(services[name]!.healthcheck).toBeDefined();
    }
  });

  it('stores data in declared volumes', () => {
    const mounted = Object.values(services).flatMap(({ volumes = [] }) => volumes.map(volume => volume.split(':')[0]!));
    expect([...new Set(mounted)].sort()).toEqual(Object.keys(compose.volumes).sort());
  });

  it('connects the containers to the doctor of docs/chatwoot.md, which runs on the host', () => {
    const [, command] =
      /npm run doctor -- (--url http:\/\/chatwoot\.localhost[^#]*)/.exec(file('docs/chatwoot.md')) ?? [];
    expect(command).toContain('--public-url http://host.docker.internal:4100 --host 0.0.0.0 --port 4100');
    for (const name of ['chatwoot', 'chatwoot-sidekiq'])
      expect(services[name]!.extra_hosts).toContain('host.docker.internal:host-gateway');
  });

  it('names images by name and version, without a registry host', () => {
    const images = Object.values(services).flatMap(({ image }) => image ?? []);
    for (const image of images) expect(image).toMatch(/^([a-z]+\/)?[a-z]+:(?!latest)\S+$/);
    expect(file('Dockerfile')).not.toMatch(/^FROM [^\s/]+\.[^\s/]+\//m);
  });

  it.each(['chatwoot', 'chatwoot-sidekiq', 'chatwoot-prepare'])('runs %s as the contract requires', name => {
    const { RACK_ATTACK_ALLOWED_IPS: allowed, ...environment } = services[name]!.environment!;
    expect(environment).toMatchObject({ SAFE_FETCH_ALLOW_PRIVATE_NETWORK: 'true', ENABLE_ACCOUNT_SIGNUP: 'false' });
    expect(environment).not.toHaveProperty('WEBHOOK_TIMEOUT');
    expect(allowed).toBe(
      (services['support']!.networks as Record<string, { ipv4_address?: string }>)['inside']!.ipv4_address,
    );
    const front = environment['FRONTEND_URL']!.match(/^\$\{CHATWOOT_URL:-(.*)\}$/)![1]!;
    expect(front).toBe(inExample.get('CHATWOOT_URL'));
    expect(services['support']!.environment!['SUPPORT_ALLOW_PRIVATE_ADDRESSES']).toBe(new URL(front).hostname);
    expect((services['chatwoot']!.networks as Record<string, { aliases?: string[] }>)['inside']!.aliases).toEqual([
      new URL(front).hostname,
    ]);
  });
});
