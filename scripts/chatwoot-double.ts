import { parseArgs } from 'node:util';
import { startChatwootDouble, type ChatwootVersion } from '../src/providers/chatwoot/testing/double';

const VERSIONS: readonly ChatwootVersion[] = ['3.16', '4.10', '4.14'];

/** Runs the Chatwoot double alone, for a first try and for tests of other processes. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '3900' },
      version: { type: 'string', default: '4.10' },
      'platform-token': { type: 'string' },
    },
  });
  const version = VERSIONS.find(one => one === values.version);
  if (!version) throw new Error(`--version must be one of ${VERSIONS.join(', ')}`);
  const platformToken = values['platform-token'];
  const double = await startChatwootDouble({
    port: Number(values.port),
    version,
    ...(platformToken ? { platformToken } : {}),
  });
  console.log(banner(double.baseUrl, version, double.platformToken));
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void double.stop().then(() => process.exit(0)));
}

function banner(baseUrl: string, version: string, token: string): string {
  return `Chatwoot double ${version} at ${baseUrl}
Platform token: ${token}

  curl -s ${baseUrl}/api
  curl -s ${baseUrl}/platform/api/v1/accounts -H 'api-access-token: ${token}' -H 'content-type: application/json' -d '{"name":"Acme"}'
  curl -s ${baseUrl}/platform/api/v1/users -H 'api-access-token: ${token}' -H 'content-type: application/json' \\
    -d '{"name":"Alice","email":"alice@acme.example","password":"Passw0rd!x"}'
  curl -s ${baseUrl}/platform/api/v1/accounts/1/account_users -H 'api-access-token: ${token}' -H 'content-type: application/json' \\
    -d '{"user_id":2,"role":"administrator"}'

Behind its back:
  curl -s ${baseUrl}/_double/requests
  curl -s ${baseUrl}/_double/deliveries
  curl -s ${baseUrl}/_double/users/2/online -X POST
  curl -s ${baseUrl}/_double/faults -H 'content-type: application/json' -d '{"match":{"path":"/messages"},"mode":"applyThenCut"}'
`;
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
