import { randomBytes } from 'node:crypto';
import { SupportClient } from '../../examples/support-client';
import { startApp } from '../../src/app';
import { loadConfig } from '../../src/config';
import { createLogger } from '../../src/logging';

export interface TestService {
  /** E.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Headers of the platform's gateway for the demo's organization, which may set up support. */
  readonly gateway: Readonly<Record<string, string>>;
  readonly operator: SupportClient;
  /** Has a bot key: may do what a bot runtime does, and no more. */
  readonly bot: SupportClient;
  stop(): Promise<void>;
}

const ORGANIZATION = 'org-demo';

/** Starts the service in this process on a free port, with an existing database and authenticated callers. */
export async function startTestService(
  databaseUrl: string,
  env: Readonly<Record<string, string>> = {},
  watchCalls?: (fetch: typeof globalThis.fetch) => typeof globalThis.fetch,
): Promise<TestService> {
  const secret = (): string => randomBytes(32).toString('hex');
  const [gatewaySecret, botKey] = [secret(), secret()];
  const config = loadConfig({
    HOST: '127.0.0.1',
    PORT: '0',
    DATABASE_URL: databaseUrl,
    SUPPORT_SECRET_KEY: secret(),
    SUPPORT_GATEWAY_SECRET: gatewaySecret,
    SUPPORT_BOT_KEYS: `${ORGANIZATION}=${botKey}`,
    // The user of this script is the operator and the only caller, so the support system may be on this machine.
    SUPPORT_ALLOW_PRIVATE_ADDRESSES: 'all',
    ...env,
  });
  const app = await startApp(
    config,
    createLogger({ level: process.env.LOG_LEVEL ?? 'silent' }),
    watchCalls === undefined ? {} : { wrapFetch: watchCalls },
  );
  const gateway = { 'x-support-gateway-secret': gatewaySecret, 'x-organization-id': ORGANIZATION };
  const operator = new SupportClient({ url: `${app.url}/graphql`, headers: gateway });
  const bot = new SupportClient({ url: `${app.url}/graphql`, headers: { authorization: `Bearer ${botKey}` } });
  return {
    url: app.url,
    gateway,
    operator,
    bot,
    async stop() {
      await Promise.all([operator.close(), bot.close()]);
      await app.stop();
    },
  };
}
