import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';

/** Another team's subgraph: it owns the types that we extend, and defines the types that every subgraph has. */
export const STRANGER_SDL = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
  scalar DateTime
  scalar JSON
  type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type Query { me: User organization(id: ID!): Organization chatbots(ids: [ID!]!): ChatbotConnection! }
  type Organization @key(fields: "id") { id: ID! name: String! createdAt: DateTime! plan: JSON }
  type User @key(fields: "id") { id: ID! name: String! }
  type Chatbot @key(fields: "id") { id: ID! name: String! organization: Organization! }
  type ChatbotEdge { cursor: String! node: Chatbot! }
  type ChatbotConnection { edges: [ChatbotEdge!]! pageInfo: PageInfo! }
`;

const organization = (id: string) => ({
  id,
  name: `Organization ${id}`,
  createdAt: '2026-01-02T03:04:05.000Z',
  plan: { seats: 3 },
});
const user = (id: string) => ({ id, name: `User ${id}` });
const chatbot = (id: string) => ({ id, name: `Bot ${id}`, organization: organization('org-1') });

export const strangerSchema = () =>
  buildSubgraphSchema([
    {
      typeDefs: parse(STRANGER_SDL),
      resolvers: {
        Query: {
          me: () => user('user-1'),
          organization: (_root: unknown, { id }: { id: string }) => organization(id),
          chatbots: (_root: unknown, { ids }: { ids: string[] }) => ({
            edges: ids.map(id => ({ cursor: id, node: chatbot(id) })),
            pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: ids[0], endCursor: ids.at(-1) },
          }),
        },
        Organization: { __resolveReference: ({ id }: { id: string }) => organization(id) },
        User: { __resolveReference: ({ id }: { id: string }) => user(id) },
        Chatbot: { __resolveReference: ({ id }: { id: string }) => chatbot(id) },
      } as never,
    },
  ]);

export async function startStranger(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const schema = strangerSchema();
  const server = createServer((request, response) => {
    void bodyOf(request).then(async ({ query, variables, operationName }) => {
      const result = await graphql({ schema, source: query, variableValues: variables, operationName });
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Operation {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

async function bodyOf(request: IncomingMessage): Promise<Operation> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString('utf8')) as Operation;
}
