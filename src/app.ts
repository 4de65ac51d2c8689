import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { tenantNameLookups } from './addresses';
import { clock, openDatabase, type Database, type StopStep } from './app/database';
import { flowLimits, keepMs } from './app/flow-limits';
import { graphqlLimits, serverLimits } from './app/server-limits';
import { startWorker } from './app/start-worker';
import { isReachableFrom, publicUrlOf, type Config } from './config';
import { createFlows } from './core/flows';
import type { Flows } from './core/flows/api';
import { accessOf, type FlowDeps, type RegisteredProvider } from './core/flows/deps';
import { FetchingFileArchive } from './core/flows/archive-file';
import type { Stores } from './core/ports/stores';
import type { ProviderHost } from './core/ports/provider/definition';
import { TypingRelay } from './delivery';
import { EXAMPLE_CHATBOTS, EXAMPLE_ORGANIZATION, seedExample } from './example';
import { buildSupportSchema, createGraphqlHttp, printSubgraphSchema } from './graphql';
import { Health } from './health';
import { createIdentify } from './identity/identify';
import { createRoomLog, type Logger } from './logging';
import { MediaLinks } from './media/media-links';
import { openMediaStore } from './media/open-store';
import { openRemoteFile } from './media/remote-file';
import { createFileServer } from './media/serve-file';
import { createStores, inTransaction, PostgresTyping, isWritable } from './persistence';
import { createOutgoing } from './tenant-fetch';
import { providers as registry } from './providers/registry';
import { HttpPush } from './push';
import { createHttpServer } from './server';
import type { ProviderPage } from './server/provider-pages';
import { TIME_LIMITS } from './time-limits';
import { createPlayground, type PlaygroundDescription } from './playground';
import { createWebhookReceiver } from './webhooks/receive-webhook';
import { recordHint } from './core/flows/from-provider/record-hint';

export interface App {
  /** E.g. `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly port: number;
  /** Null if the operator provides the Postgres. */
  readonly embeddedDataDir: string | null;
  readonly stores: Stores;
  readonly flows: Flows;
  /**
   * Stops accepting calls, finishes those in progress, releases everything. Never throws; repeatable. With a grace
   * period, calls are still accepted for that long while `/readyz` reports not ready.
   */
  stop(graceMs?: number): Promise<void>;
}

/** Hooks between the service and its environment. */
export interface StartHooks {
  /** Wraps the fetch of providers, e.g. to record their calls. */
  wrapFetch?(fetch: ProviderHost['fetch']): ProviderHost['fetch'];
}

/** Starts one replica. On a failure, stops everything that was started. */
export async function startApp(config: Config, logger: Logger, watching: StartHooks = {}): Promise<App> {
  const started: StopStep[] = [];
  const stopAll = async (graceMs = 0): Promise<void> => {
    for (const stop of started.splice(0).reverse())
      await stop(graceMs).catch((error: unknown) => logger.error({ err: error }, 'a component failed to stop'));
  };
  try {
    return await start(config, logger, watching, started, stopAll);
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function start(
  config: Config,
  logger: Logger,
  { wrapFetch = fetch => fetch }: StartHooks,
  started: StopStep[],
  stopAll: App['stop'],
): Promise<App> {
  tenantNameLookups.limitMs = TIME_LIMITS.names.lookupMs;
  const database = await openDatabase(config, logger, started);
  const stores = createStores(database.pool, database.parts);
  const core = await createCore(config, logger, database, stores, wrapFetch, started);
  const { deps, files, flows } = core;
  const health = new Health({ isWritable: () => isWritable(database.pool) });
  const server = await createServer(config, logger, database, core, health);
  started.push(() => server.stop());
  // Before the server listens: the page of a first run needs its chatbots and teams.
  if (config.example) await seedExample(flows, stores.setup, registry.values());
  const port = await server.listen(config.host, config.port);
  deps.publicUrl = publicUrlOf(config, port);
  logger.info({ port }, 'listening');

  const worker = await startWorker(config, logger, deps, files, database, started);
  health.markStarted();
  // Both together: nothing new is claimed while the last responses are sent.
  started.push(graceMs => Promise.all([worker.stop(TIME_LIMITS.stop.workMs), server.stop(graceMs)]));

  return {
    url: deps.publicUrl,
    port,
    embeddedDataDir: config.databaseUrl === null ? config.dataDir : null,
    stores,
    flows,
    stop: stopAll,
  };
}

/** The flows, with everything that they need, and what the server needs of the same. */
interface Core {
  readonly deps: { -readonly [K in keyof FlowDeps]: FlowDeps[K] };
  readonly files: FetchingFileArchive;
  readonly flows: Flows;
  readonly links: MediaLinks;
  readonly pages: ReadonlyMap<string, ProviderPage>;
  readonly typing: PostgresTyping;
}

/** Creates the flows over the stores, the providers and the file store. */
async function createCore(
  config: Config,
  logger: Logger,
  { secretKey, splitPool, wake }: Database,
  stores: Stores,
  wrapFetch: NonNullable<StartHooks['wrapFetch']>,
  started: StopStep[],
): Promise<Core> {
  const typing = new PostgresTyping(wake);
  const relay = new TypingRelay(TIME_LIMITS.provider.typingMs);
  started.push(async () => relay.stop());
  const tenantFetch = createOutgoing({
    allowed: config.allowedPrivate,
    now: clock.now,
    connectMs: TIME_LIMITS.names.connectMs,
  });
  started.push(() => tenantFetch.close());
  const { known, pages } = createProviders(
    createProviderHost(logger, { stores, splitPool, wake, fetch: wrapFetch(tenantFetch.fetch) }),
  );
  const store = await openMediaStore(config.media, TIME_LIMITS.store);
  started.push(async () => store.close());
  const links = new MediaLinks(secretKey, clock.now);
  const deps: Core['deps'] = {
    stores,
    clock,
    typing: relay,
    providers: known,
    publicUrl: publicUrlOf(config),
    isReachableFrom: baseUrl => isReachableFrom(config, baseUrl),
    push: new HttpPush({ fetch: tenantFetch.fetchOnce, addressProblem: tenantFetch.addressProblem, now: clock.now }),
    addressProblem: tenantFetch.addressProblem,
    fileUrl: ({ organizationId, id: messageId }, index, name) =>
      `${deps.publicUrl}${links.createPath({ organizationId, messageId, index }, name)}`,
    limits: flowLimits(config),
    retention: { keepMs: keepMs(config), files: store.media },
    digest: text => createHash('sha256').update(text).digest('base64url'),
  };
  const files = (deps.files = new FetchingFileArchive(deps, {
    media: store.media,
    limits: { ...config.media.limits, ...TIME_LIMITS.file },
    retentionMs: config.media.retentionMs,
    openLink: (url, signal) => openRemoteFile(tenantFetch.fetch, url, signal),
  }));
  return { deps, files, flows: createFlows(deps), links, pages, typing };
}

/** Returns what each provider gets of this service, by the provider's name. */
const createProviderHost =
  (
    logger: Logger,
    {
      stores,
      splitPool,
      wake,
      fetch,
    }: Pick<Database, 'splitPool' | 'wake'> & { stores: Stores; fetch: ProviderHost['fetch'] },
  ) =>
  (name: string): ProviderHost => ({
    hint: (accountId, conversationId) => {
      recordHint({ stores, clock }, accountId, { conversationId }).catch((error: unknown) =>
        logger.warn({ err: error }, 'a hint was lost; the timer finds its changes'),
      );
    },
    database: {
      // The same provider instance serves callers and the background work.
      query: (text, values) => splitPool.current.query(text, values as unknown[]),
      transaction: work =>
        inTransaction(splitPool.current, client => work((text, values) => client.query(text, values as unknown[]))),
    },
    fetch,
    replicas: () => wake.replicas,
    now: clock.now,
    log: createRoomLog(logger, `provider:${name}`),
  });

/** Creates the HTTP server with everything that it serves. It does not listen yet. */
async function createServer(
  config: Config,
  logger: Logger,
  { wake }: Database,
  { deps, files, flows, links, pages, typing }: Core,
  health: Health,
) {
  const { stores } = deps;
  const identify = createIdentify(config.identity, TIME_LIMITS.identity);
  const graphql = await createGraphqlHttp({
    fileUrl: deps.fileUrl,
    flows,
    stores,
    wake,
    typing,
    clock,
    limits: graphqlLimits(config, deps.limits.setupMs),
    identify: (headers, connectionParams, remoteAddress) => identify({ headers, connectionParams, remoteAddress }),
    log: (fields, message, level) => logger[level ?? 'error'](fields, message),
  });
  return createHttpServer({
    graphql: { handle: graphql.handlers.http, upgrade: graphql.handlers.upgrade, stop: graphql.stop },
    webhooks: createWebhookReceiver({
      stores,
      clock,
      typing: { stores, clock, board: typing },
      log: createRoomLog(logger, 'webhooks'),
      bodyLimitBytes: config.bodyLimits.webhookBytes,
      providerOf: account => deps.providers.get(account.provider)!.instance,
      accessOf: account => accessOf(deps, account),
    }),
    files: createFileServer({ links, files, stores, clock, ...TIME_LIMITS.file }),
    fileOwner: path => links.parsePath(path)?.organizationId ?? null,
    providerPages: pages,
    isOpenPage: (name, path) => registry.get(name)?.isOpen?.(path) ?? false,
    identify,
    health,
    logger,
    page: config.example
      ? createPlayground({ describe: () => describeExample(stores), identify: request => identify(request) })
      : null,
    ...serverLimits(config),
  });
}

/** Creates every registered provider, and the pages that it serves. */
function createProviders(providerHost: (name: string) => ProviderHost) {
  const known = new Map<string, RegisteredProvider>();
  const pages = new Map<string, ProviderPage>();
  for (const [name, definition] of registry) {
    const own = providerHost(name);
    known.set(name, { definition, instance: definition.create(own) });
    if (definition.routes) pages.set(name, definition.routes(own));
  }
  return { known, pages };
}

async function describeExample(stores: Stores): Promise<PlaygroundDescription> {
  return {
    organizationId: EXAMPLE_ORGANIZATION,
    chatbots: EXAMPLE_CHATBOTS,
    agentPages: [...registry.values()].flatMap(({ name, title, agentPage }) =>
      agentPage === undefined ? [] : [{ path: `/providers/${name}${agentPage}`, title }],
    ),
    teams: (await stores.setup.listTeams(EXAMPLE_ORGANIZATION, null)).map(({ id, name }) => ({ id, name })),
  };
}

/** Returns the subgraph schema that composition reads; needs no database. */
export async function printSchema(): Promise<string> {
  return printSubgraphSchema(await buildSupportSchema({} as never));
}
