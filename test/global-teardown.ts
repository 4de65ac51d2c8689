import { dropTemplate } from '../src/testing/template-database';

export default async function tearDown(): Promise<void> {
  const { stopTestServer } = globalThis as { stopTestServer?: () => Promise<void> };
  if (stopTestServer) await stopTestServer();
  else await dropTemplate();
}
