import { buildTemplate } from './support/database';
import { startEmbedded } from '../src/persistence/embedded-postgres';

/** One Postgres for all test files: the one that TEST_DATABASE_URL names, or an own throw-away one. */
export default async function setUp(): Promise<void> {
  if (!process.env.TEST_DATABASE_URL) {
    const server = await startEmbedded();
    process.env.TEST_DATABASE_URL = server.url;
    Object.assign(globalThis, { stopTestServer: () => server.stop() });
  }
  await buildTemplate();
}
