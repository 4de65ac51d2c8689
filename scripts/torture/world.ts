import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { done, SupportClient } from '../../examples/support-client';
import { cleanUp } from '../demo/clean-up';
import { EnableChatbot, EnableEndpoint, EnableSupport, RefreshDirectory, RegisterEndpoint } from '../demo/operations';
import { CallLog } from '../demo/call-log';
import { Chatwoot } from './chatwoot';
import type { SeededRandom } from './seeded-random';
import { Endpoint } from './endpoint';
import { LINES, type Lines } from './evidence';
import { FaultPlan, type Odds } from './faults';
import { HttpFaultProxy } from './http-proxy';
import { TorturePostgres } from './torture-postgres';
import { ended, start } from './processes';
import { Services } from './services';
import { TcpFaultProxy } from './tcp-proxy';

const ORGANIZATION = 'org-torture';
const LEASE_SECONDS = 5;
export const LEASE_MS = LEASE_SECONDS * 1_000;
const CALL_MS = 2_000;
/**
 * How long Chatwoot lets a request run, as configured in the service. For a real Chatwoot the service's default is
 * used.
 */
const REQUEST_SECONDS = 3;

/** Short enough that each of these times passes often in a run of one minute. */
const SETTINGS = {
  SUPPORT_LEASE_SECONDS: String(LEASE_SECONDS),
  SUPPORT_PROVIDER_TIMEOUT_MS: String(CALL_MS),
  SUPPORT_LIVE_SCAN_INTERVAL_SECONDS: '3',
  SUPPORT_DRAIN_LIMIT_SECONDS: '20',
  SUPPORT_FULL_SCAN_INTERVAL_SECONDS: '10',
  SUPPORT_CHECK_INTERVAL_SECONDS: '30',
  SUPPORT_EXAMPLE: 'off',
  SUPPORT_ALLOW_PRIVATE_ADDRESSES: 'all',
  SUPPORT_PUSH_TIMEOUT_MS: '2000',
  LOG_LEVEL: 'warn',
};

/** A 429 pauses a whole process for 20 s, so more of them would leave too little activity to judge. */
const ODDS: Readonly<Record<'chatwoot' | 'webhooks' | 'runtime' | 'pushes', Odds>> = {
  pushes: {
    jitter: 0.15,
    latency: 0.005,
    cut: 0.03,
    halfOpen: 0.005,
    appliedThenCut: 0.03,
    serverError: 0.03,
    appliedThenError: 0.02,
    tooMany: 0.01,
    wrongJson: 0.01,
    duplicate: 0.05,
  },
  chatwoot: {
    jitter: 0.15,
    latency: 0.005,
    cut: 0.015,
    halfOpen: 0.006,
    appliedThenCut: 0.02,
    late: 0.006,
    lateError: 0.006,
    serverError: 0.015,
    appliedThenError: 0.015,
    tooMany: 0.0008,
    wrongJson: 0.01,
  },
  webhooks: {
    jitter: 0.1,
    latency: 0.005,
    cut: 0.03,
    halfOpen: 0.01,
    appliedThenCut: 0.02,
    serverError: 0.03,
    appliedThenError: 0.02,
    tooMany: 0.01,
    wrongJson: 0.01,
    duplicate: 0.1,
    reorder: 0.12,
    drop: 0.12,
  },
  runtime: {
    jitter: 0.15,
    latency: 0.005,
    cut: 0.02,
    halfOpen: 0.003,
    appliedThenCut: 0.03,
    serverError: 0.02,
    appliedThenError: 0.02,
    tooMany: 0.01,
    wrongJson: 0.01,
    duplicate: 0.05,
  },
};

export interface Chatbot {
  readonly id: string;
  readonly mirroring: 'ALWAYS' | 'ON_HANDOFF';
  readonly whileWaiting: 'SILENT' | 'BOT_MAY_ANSWER';
  readonly lines: Lines;
}

export const CHATBOTS: readonly Chatbot[] = [
  { id: 'bot-mirrored', mirroring: 'ALWAYS', whileWaiting: 'SILENT', lines: LINES },
  { id: 'bot-talkative', mirroring: 'ALWAYS', whileWaiting: 'BOT_MAY_ANSWER', lines: LINES },
  { id: 'bot-on-handoff', mirroring: 'ON_HANDOFF', whileWaiting: 'SILENT', lines: { ...LINES, ended: null } },
];
/** The chatbot whose runtime has an endpoint. */
export const PUSHED = 'bot-talkative';
const AGENTS = ['Ann', 'Ben', 'Cem'];

/** An existing Chatwoot, and the address at which it reaches this machine. */
export interface RealChatwoot {
  readonly url: string;
  readonly platformToken: string;
  readonly publicUrl: string | null;
}

export interface WorldOptions {
  readonly random: SeededRandom;
  readonly folder: string;
  readonly services: number;
  readonly chatwoot: RealChatwoot | { readonly version: string };
  readonly loader: string | null;
}

/**
 * Runs Postgres, a Chatwoot and several processes of the service, with a fault proxy on every hop between them and
 * their callers.
 */
export class World {
  private constructor(
    readonly postgres: TorturePostgres,
    readonly chatwoot: Chatwoot,
    readonly services: Services,
    readonly hops: {
      readonly database: TcpFaultProxy;
      readonly chatwoot: HttpFaultProxy;
      readonly webhooks: HttpFaultProxy;
      readonly runtime: HttpFaultProxy;
      readonly pushes: HttpFaultProxy;
    },
    readonly endpoint: Endpoint,
    readonly plans: readonly FaultPlan[],
    private readonly headers: { readonly bot: Record<string, string>; readonly operator: Record<string, string> },
    private readonly accountSettings: object,
    private readonly started: (() => Promise<unknown>)[],
  ) {}

  static async open(options: WorldOptions): Promise<World> {
    const started: (() => Promise<unknown>)[] = [];
    try {
      const world = await build(options, started);
      await world.setUp();
      return world;
    } catch (error) {
      await stopAll(started);
      throw error;
    }

    async function build(
      { random, folder, services: count, chatwoot: given, loader }: WorldOptions,
      stops: typeof started,
    ): Promise<World> {
      const postgres = await TorturePostgres.start(path.join(folder, 'postgres'));
      stops.push(() => postgres.stop());
      const plan = (hop: string, odds: Odds) => new FaultPlan(hop, random.stream(hop), odds);
      const plans = {
        database: plan('service to Postgres', {}),
        chatwoot: plan('service to Chatwoot', ODDS.chatwoot),
        webhooks: plan('webhooks to service', ODDS.webhooks),
        runtime: plan('runtime to service', ODDS.runtime),
        pushes: plan('service to runtime', ODDS.pushes),
      };
      const database = await TcpFaultProxy.start(plans.database);
      stops.push(() => database.stop());
      database.lead(postgres.port);
      const { url, token } =
        'url' in given
          ? { url: given.url, token: given.platformToken }
          : await startDouble(given.version, folder, loader, stops);
      const chatwoot = new Chatwoot(url, token);

      let services: Services | null = null;
      const anyService = () => {
        const running = services?.running ?? [];
        return running.length === 0 ? null : random.pick(running).url;
      };
      const endpoint = await Endpoint.start(random.stream('endpoint'));
      stops.push(() => endpoint.stop());
      const publicUrl = 'url' in given ? given.publicUrl : null;
      const listen = publicUrl === null ? {} : { host: '0.0.0.0', port: Number(new URL(publicUrl).port || 80) };
      const hops = {
        database,
        chatwoot: await HttpFaultProxy.start({
          plan: plans.chatwoot,
          target: () => url,
          jitterMs: 900,
          lateMs: [CALL_MS + 100, REQUEST_SECONDS * 1_000],
        }),
        webhooks: await HttpFaultProxy.start({ plan: plans.webhooks, target: anyService, jitterMs: 1_500, ...listen }),
        runtime: await HttpFaultProxy.start({ plan: plans.runtime, target: anyService, jitterMs: 1_000 }),
        pushes: await HttpFaultProxy.start({ plan: plans.pushes, target: () => endpoint.url, jitterMs: 900 }),
      };
      stops.push(() =>
        Promise.all([hops.chatwoot.stop(), hops.webhooks.stop(), hops.runtime.stop(), hops.pushes.stop()]),
      );

      const secret = () => randomBytes(32).toString('hex');
      const [gateway, key] = [secret(), secret()];
      services = await Services.start({
        count,
        folder,
        loader,
        env: {
          ...SETTINGS,
          DATABASE_URL: postgres.urlAt(database.port),
          SUPPORT_PUBLIC_URL: publicUrl ?? hops.webhooks.url,
          SUPPORT_MEDIA_DIR: path.join(folder, 'media'),
          SUPPORT_SECRET_KEY: secret(),
          SUPPORT_GATEWAY_SECRET: gateway,
          SUPPORT_BOT_KEYS: `${ORGANIZATION}=${key}`,
        },
      });
      const all = services;
      stops.push(() => all.stop());
      if ('url' in given) stops.unshift(() => removeFrom(chatwoot));
      return new World(
        postgres,
        chatwoot,
        services,
        hops,
        endpoint,
        Object.values(plans),
        {
          bot: { authorization: `Bearer ${key}` },
          operator: { 'x-support-gateway-secret': gateway, 'x-organization-id': ORGANIZATION },
        },
        'url' in given ? {} : { requestSeconds: REQUEST_SECONDS },
        stops,
      );
    }
  }

  /** Returns the client of a bot runtime, through the proxy. */
  client(): SupportClient {
    return new SupportClient({ url: `${this.hops.runtime.url}/graphql`, headers: this.headers.bot });
  }
  operator(): SupportClient {
    return new SupportClient({ url: `${this.hops.runtime.url}/graphql`, headers: this.headers.operator });
  }

  begin(): void {
    for (const plan of this.plans) plan.begin();
  }

  /** Ends all faults and restarts everything that is down. */
  async heal(): Promise<void> {
    this.hops.chatwoot.setAway(false);
    for (const plan of this.plans) plan.calm();
    if (this.postgres.isGone) await this.restartPostgres(async () => undefined);
    await this.services.heal();
  }

  async restartPostgres(downMs: () => Promise<unknown>): Promise<void> {
    await this.postgres.crash();
    await downMs();
    await this.postgres.restart();
    this.hops.database.lead(this.postgres.port);
  }

  async stop(): Promise<void> {
    await stopAll(this.started);
  }

  private async setUp(): Promise<void> {
    const operator = this.operator();
    const { chatwoot } = this;
    const { account } = done(
      (
        await operator.call(EnableSupport, {
          input: {
            name: chatwoot.accountName,
            provider: 'chatwoot',
            baseUrl: this.hops.chatwoot.url,
            credentials: { platformToken: chatwoot.platformToken },
            settings: this.accountSettings,
            owners: [chatwoot.owner],
          },
        })
      ).enableSupport,
    );
    if (account?.state !== 'READY') throw new Error(`Support could not be enabled: ${account?.problem?.message}`);
    for (const { id, mirroring, whileWaiting, lines } of CHATBOTS) {
      const { inbox } = done(
        (
          await operator.call(EnableChatbot, {
            input: { chatbotId: id, name: id, policy: { mirroring, whileWaiting, lines } },
          })
        ).enableChatbotSupport,
      );
      if (inbox?.state !== 'READY')
        throw new Error(`Support could not be enabled for ${id}: ${inbox?.problem?.message}`);
    }
    const { secret, endpoint } = done(
      (await operator.call(RegisterEndpoint, { input: { url: this.hops.pushes.url, chatbotId: PUSHED } }))
        .registerSupportRuntimeEndpoint,
    );
    this.endpoint.secret = secret;
    const { endpoint: enabled } = done(
      (await operator.call(EnableEndpoint, { input: { endpointId: endpoint!.id } })).enableSupportRuntimeEndpoint,
    );
    if (enabled?.state !== 'ACTIVE') throw new Error("The runtime's endpoint could not be enabled.");
    await chatwoot.staff(AGENTS);
    done((await operator.call(RefreshDirectory, { input: { accountId: account.id } })).refreshSupportDirectory);
    await operator.close();
  }
}

async function stopAll(started: (() => Promise<unknown>)[]): Promise<void> {
  for (const stop of started.splice(0).reverse()) await stop();
}

/** Starts the double in a process of its own that is never killed, because its memory is the remote's state. */
async function startDouble(
  version: string,
  folder: string,
  loader: string | null,
  stops: (() => Promise<unknown>)[],
): Promise<{ url: string; token: string }> {
  const child = start({
    name: 'scripts/chatwoot-double',
    args: ['--port', '0', '--version', version],
    env: {},
    logFile: null,
    loader,
  });
  stops.push(async () => {
    child.kill('SIGTERM');
    await ended(child);
  });
  const banner = await new Promise<string>((resolve, reject) => {
    let said = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('Platform token: ') && said.endsWith('\n')) resolve(said);
      });
    child.once('exit', () => reject(new Error(`The Chatwoot double ended: ${said}`)));
  });
  return { url: / at (http\S+)/.exec(banner)![1]!, token: /Platform token: (\S+)/.exec(banner)![1]! };
}

/** Removes the run's data from a real Chatwoot. Only an empty, suspended account remains. */
async function removeFrom(chatwoot: Chatwoot): Promise<void> {
  const made = new CallLog(chatwoot.baseUrl);
  for (const id of chatwoot.accounts) made.accounts.add(id);
  for (const id of [...chatwoot.users, ...(await chatwoot.members())]) made.users.add(id);
  const left = await cleanUp({
    baseUrl: chatwoot.baseUrl,
    platformToken: chatwoot.platformToken,
    traffic: made,
    accountName: chatwoot.accountName,
  });
  if (left.length > 0)
    console.error(
      `These could not be removed: ${left.join(', ')}. Remove them by hand (super-admin console; suspend accounts, do not delete them).`,
    );
}
