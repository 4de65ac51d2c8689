// A federation gateway that carries subscriptions. It is a separate process, because Jest cannot load its ESM packages.
// argv: how it subscribes (ws | sse), the supergraph's file, our subgraph's URL, our gateway secret. It exits with its
// parent.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';

const [mode, supergraphFile, location, secret] = process.argv.slice(2);
const IDENTITY = ['x-organization-id', 'x-support-role', 'x-user-id'];

const connectionParams = {
  'x-support-gateway-secret': secret,
  ...Object.fromEntries(IDENTITY.map(name => [name, `{context.headers['${name}']}`])),
};
const gateway = createGatewayRuntime({
  supergraph: readFileSync(supergraphFile, 'utf8'),
  logging: false,
  graphiql: false,
  landingPage: false,
  maskedErrors: false,
  propagateHeaders: {
    fromClientToSubgraphs: ({ request, subgraphName }) =>
      subgraphName === 'support'
        ? {
            'x-support-gateway-secret': secret,
            ...Object.fromEntries(IDENTITY.map(name => [name, request.headers.get(name) ?? undefined])),
          }
        : {},
  },
  // Without an entry it subscribes over its HTTP transport, which is SSE with GET.
  transportEntries:
    mode === 'ws'
      ? { support: { options: { subscriptions: { kind: 'ws', location, options: { connectionParams } } } } }
      : {},
});

const server = createServer((request, response) => gateway(request, response));
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
process.on('disconnect', () => process.exit(0));
process.send({ port: server.address().port });
