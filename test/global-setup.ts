import { buildTemplate } from '../src/testing/template-database';
import { startEmbedded } from '../src/persistence/embedded/embedded-postgres';

/** For a server with hundreds of short-lived databases: maintenance of old ones only costs CPU time. */
const SHORT_LIVED = {
  autovacuum: 'off',
  checkpoint_timeout: '1h',
  max_wal_size: '8GB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  shared_buffers: '256MB',
  // `create database` copies files; if the file system can, their blocks are shared.
  file_copy_method: 'clone',
};

/** One Postgres for all test files: the one that TEST_DATABASE_URL names, or a temporary one. */
export default async function setUp(): Promise<void> {
  if (!process.env.TEST_DATABASE_URL) {
    const server = await startEmbedded(undefined, SHORT_LIVED);
    process.env.TEST_DATABASE_URL = server.url;
    Object.assign(globalThis, { stopTestServer: () => server.stop() });
  }
  await buildTemplate();
}
