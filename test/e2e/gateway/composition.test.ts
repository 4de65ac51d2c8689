import { composeServices } from '@apollo/composition';
import { composeServices as composeWithGuild } from '@theguild/federation-composition';
import { type ObjectTypeDefinitionNode, parse, print } from 'graphql';
import { buildSupportSchema, printSubgraphSchema } from '../../../src/graphql';
import { STRANGER_SDL } from '../../support/stranger-subgraph';

/** The result must not depend on the composition tool. */
const COMPOSERS = {
  '@apollo/composition': (support: string, stranger: string) => {
    const { errors, supergraphSdl } = composeServices(servicesOf(support, stranger));
    return { errors: (errors ?? []).map(error => String(error.extensions.code)), supergraphSdl };
  },
  '@theguild/federation-composition': (support: string, stranger: string) => {
    const result = composeWithGuild(servicesOf(support, stranger));
    return {
      errors: (result.errors ?? []).map(error => String(error.extensions?.code)),
      supergraphSdl: result.supergraphSdl,
    };
  },
};

const servicesOf = (support: string, stranger: string) => [
  { name: 'support', url: 'http://support', typeDefs: parse(support) },
  { name: 'stranger', url: 'http://stranger', typeDefs: parse(stranger) },
];

describe.each(Object.entries(COMPOSERS))('composed by %s', (_name, compose) => {
  let sdl: string;
  beforeAll(async () => {
    sdl = await printSubgraphSchema(await buildSupportSchema({} as never));
  });

  it('composes with a subgraph that defines PageInfo, DateTime, JSON, Organization, Chatbot and User', () => {
    const { errors, supergraphSdl } = compose(sdl, STRANGER_SDL);
    expect(errors).toEqual([]);
    expect(supergraphSdl).toContain('supportAccounts');
  });

  it('composes with a subgraph of plain federation 2.0 that only references our types by key', () => {
    const { errors } = compose(
      sdl,
      `
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key"])
      type Query { lastTicket: Ticket }
      type Ticket @key(fields: "id") { id: ID! handoff: Handoff session: SupportSession }
      type Handoff @key(fields: "id", resolvable: false) { id: ID! }
      type SupportSession @key(fields: "id", resolvable: false) { id: ID! }
    `,
    );
    expect(errors).toEqual([]);
  });

  it('carries the sizes of lists and the costs of fields, so that a router can refuse what we would refuse', () => {
    const { supergraphSdl } = compose(sdl, STRANGER_SDL);
    const query = parse(supergraphSdl!).definitions.find(
      one => one.kind === 'ObjectTypeDefinition' && one.name.value === 'Query',
    ) as ObjectTypeDefinitionNode;
    const directives = (field: string) =>
      query.fields!.find(one => one.name.value === field)!.directives!.map(one => print(one));
    expect(directives('supportAgents')).toContainEqual(
      expect.stringMatching(/^@listSize\(.*assumedSize: 50, slicingArguments: \["first"\]/),
    );
    expect(directives('handoffs')).toContainEqual(
      expect.stringMatching(/^@listSize\(.*sizedFields: \["edges", "nodes"\]/),
    );
    expect(directives('supportDrift')).toContainEqual('@cost(weight: 50)');
  });

  it('fails when PageInfo is not declared as shareable, so this test can fail', () => {
    expect(compose(sdl.replace(' @shareable', ''), STRANGER_SDL).errors).toContain('INVALID_FIELD_SHARING');
  });
});
