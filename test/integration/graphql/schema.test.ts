import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  parse,
} from 'graphql';
import { buildApiSchema, buildSupportSchema, printSubgraphSchema } from '../../../src/graphql';

let schema: GraphQLSchema;
let sdl: string;
beforeAll(async () => {
  schema = await buildApiSchema({} as never);
  sdl = await printSubgraphSchema(await buildSupportSchema({} as never));
});

const own = () => Object.values(schema.getTypeMap()).filter(type => !type.name.startsWith('__'));
const outputs = () =>
  own().filter((type): type is GraphQLObjectType | GraphQLInterfaceType => isObjectType(type) || isInterfaceType(type));
const fieldsOf = (type: GraphQLObjectType | GraphQLInterfaceType): GraphQLField<unknown, unknown>[] =>
  Object.values(type.getFields());

describe('the committed files', () => {
  it('equal what the code emits; `npm run schema` writes them', async () => {
    // In a process of its own, because type-graphql keeps what it builds in global state.
    const check = promisify(execFile)(process.execPath, [
      '-r',
      './test/support/run-typescript.cjs',
      './scripts/emit-schema.ts',
      '--check',
    ]);
    await expect(check).resolves.toBeDefined();
  });

  it('equal, for the typed client, what `npm run codegen` writes', async () => {
    const check = promisify(execFile)(process.execPath, [
      'node_modules/.bin/graphql-codegen',
      '--config',
      'codegen.yml',
      '--check',
    ]);
    await expect(check).resolves.toBeDefined();
    expect(readFileSync('examples/generated/client.ts', 'utf8').split('\n')[0]).toMatch(
      /Generated .* Never edited by hand/,
    );
  });
});

describe('federation', () => {
  it('links version 2.9 and imports only what is used', () => {
    const [link] = parse(sdl).definitions;
    expect(link).toMatchObject({ kind: 'SchemaExtension', directives: [{ name: { value: 'link' } }] });
    expect(sdl.split('\n')[0]).toBe(
      'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@cost", "@key", "@listSize", "@shareable"])',
    );
    for (const directive of ['@cost', '@key', '@listSize', '@shareable'])
      expect(sdl.split('\n').slice(1).join('\n')).toContain(directive);
  });

  it('declares a key on exactly these types', () => {
    const keyed = [...sdl.matchAll(/^type (\w+) .*@key\(fields: "id"\)/gm)].map(match => match[1]);
    expect(keyed.sort()).toEqual([
      'Chatbot',
      'Handoff',
      'Organization',
      'SupportAccount',
      'SupportAgent',
      'SupportInbox',
      'SupportSession',
      'SupportTeam',
      'User',
    ]);
  });
});

describe('naming conventions', () => {
  it('require of every mutation one non-null input and a payload of its own with userErrors', () => {
    const used: string[] = [];
    for (const field of fieldsOf(schema.getMutationType()!)) {
      expect([field.name, field.args.map(arg => arg.name)]).toEqual([field.name, ['input']]);
      expect([field.name, isNonNullType(field.args[0]!.type), isNonNullType(field.type)]).toEqual([
        field.name,
        true,
        true,
      ]);
      const payload = getNamedType(field.type) as GraphQLObjectType;
      expect(payload.getInterfaces().map(one => one.name)).toEqual(['SupportPayload']);
      used.push(payload.name, getNamedType(field.args[0]!.type).name);
    }
    expect(new Set(used).size).toBe(used.length);
    expect(String((schema.getType('SupportPayload') as GraphQLInterfaceType).getFields().userErrors!.type)).toBe(
      '[SupportUserError!]!',
    );
  });

  it('require an idempotency key of every runtime mutation that creates something', () => {
    for (const field of fieldsOf(schema.getMutationType()!)) {
      const input = getNamedType(field.args[0]!.type);
      const key = isInputObjectType(input) ? input.getFields().idempotencyKey : undefined;
      const byItsNature = [
        'openSupportSession',
        'acknowledgeRuntimeDeliveries',
        'enableSupport',
        'enableChatbotSupport',
        'updateSupportPolicy',
        'refreshSupportDirectory',
        'linkSupportAgent',
        'addSupportAgent',
        'changeSupportAgentRole',
        'removeSupportAgent',
        'setSupportInboxMembers',
        'createSupportTeam',
        'setSupportTeamMembers',
        'createSupportLoginLink',
        'repairSupportDrift',
        'disableSupport',
        'disableChatbotSupport',
        'resendSupportDeadLetters',
        'discardSupportDeadLetters',
        'setSupportTyping',
        'acknowledgeRuntimeDeliveriesThrough',
        'registerSupportRuntimeEndpoint',
        'enableSupportRuntimeEndpoint',
        'disableSupportRuntimeEndpoint',
        'rotateSupportRuntimeEndpointSecret',
        'removeSupportRuntimeEndpoint',
      ];
      expect([field.name, key ? String(key.type) : 'none']).toEqual([
        field.name,
        byItsNature.includes(field.name) ? 'none' : 'String!',
      ]);
    }
  });

  it('end the name of every moment in At (or at) and make it a DateTime, and no other field', () => {
    for (const type of outputs())
      for (const field of fieldsOf(type))
        expect([type.name, field.name, /(^at|At)$/.test(field.name)]).toEqual([
          type.name,
          field.name,
          getNamedType(field.type).name === 'DateTime',
        ]);
  });

  it('require capitals and a description of enum values', () => {
    for (const type of own().filter(isEnumType)) {
      expect([type.name, type.description]).toEqual([type.name, expect.any(String)]);
      for (const value of type.getValues())
        expect([type.name, value.name, value.description]).toEqual([
          type.name,
          expect.stringMatching(/^[A-Z][A-Z_]*$/),
          expect.any(String),
        ]);
    }
  });

  it('allow no type name that another subgraph is likely to have', () => {
    const shared = [
      'Organization',
      'Chatbot',
      'User',
      'PageInfo',
      'Query',
      'Mutation',
      'Subscription',
      'DateTime',
      'JSON',
      'String',
      'Int',
      'ID',
      'Boolean',
      'Float',
    ];
    const others = own()
      .map(type => type.name)
      .filter(name => !shared.includes(name) && !/Support|Handoff/.test(name));
    expect(others).toEqual([
      'RecordEndUserMessagePayload',
      'RecordEndUserMessageInput',
      'SendBotMessagePayload',
      'SendBotMessageInput',
      'ReportChannelDeliveryPayload',
      'ReportChannelDeliveryInput',
      'AnswerSurveyPayload',
      'AnswerSurveyInput',
      'AcknowledgeRuntimeDeliveriesPayload',
      'AcknowledgeRuntimeDeliveriesInput',
      'AcknowledgeRuntimeDeliveriesThroughPayload',
      'AcknowledgeRuntimeDeliveriesThroughInput',
    ]);
  });

  it("require Relay's form of connections", () => {
    const connections = outputs().filter(type => type.name.endsWith('Connection'));
    expect(connections.length).toBeGreaterThanOrEqual(3);
    for (const type of connections) {
      const { edges, pageInfo } = type.getFields();
      expect([type.name, String(pageInfo!.type)]).toEqual([type.name, 'PageInfo!']);
      const edge = getNamedType(edges!.type) as GraphQLObjectType;
      expect([String(edge.getFields().cursor!.type), isNonNullType(edge.getFields().node!.type)]).toEqual([
        'String!',
        true,
      ]);
    }
    for (const type of outputs())
      for (const field of fieldsOf(type))
        if (getNamedType(field.type).name.endsWith('Connection'))
          expect([field.name, field.args.map(arg => arg.name)]).toEqual([
            field.name,
            expect.arrayContaining(['first', 'after']),
          ]);
    expect(sdl).toMatch(
      /type PageInfo @shareable \{\s*hasNextPage: Boolean!\s*hasPreviousPage: Boolean!\s*startCursor: String\s*endCursor: String\s*\}/,
    );
  });

  it('allow no secret in a field', () => {
    const shown = outputs()
      .flatMap(type => fieldsOf(type).map(field => field.name))
      .filter(name => /credential|secret|token|password/i.test(name));
    // The secret that signs pushes to a runtime: returned once, to the caller who created it, and shown nowhere else.
    const givenOnce = ['RegisterSupportRuntimeEndpointPayload', 'RotateSupportRuntimeEndpointSecretPayload'];
    expect(
      outputs()
        .filter(type => 'secret' in type.getFields())
        .map(type => type.name)
        .sort(),
    ).toEqual(givenOnce);
    expect(shown.filter(name => name !== 'secret')).toEqual([
      'credentialNames',
      'previousSecretExpiresAt',
      'rotateSupportRuntimeEndpointSecret',
      'rotateSupportWebhookSecret',
    ]);
  });

  it('allow no unreachable type', () => {
    const reached = new Set<string>();
    const visit = (name: string): void => {
      if (reached.has(name)) return;
      reached.add(name);
      const type = schema.getType(name)!;
      if (isObjectType(type) || isInterfaceType(type)) {
        for (const field of fieldsOf(type)) {
          visit(getNamedType(field.type).name);
          field.args.forEach(arg => visit(getNamedType(arg.type).name));
        }
        for (const one of type.getInterfaces()) visit(one.name);
      }
      if (isInterfaceType(type) || isUnionType(type)) schema.getPossibleTypes(type).forEach(one => visit(one.name));
      if (isInputObjectType(type))
        Object.values(type.getFields()).forEach(field => visit(getNamedType(field.type).name));
    };
    for (const root of ['Query', 'Mutation', 'Subscription']) visit(root);
    expect(
      own()
        .map(type => type.name)
        .filter(name => !reached.has(name)),
    ).toEqual([]);
  });

  it('allow no list with null items', () => {
    for (const type of outputs())
      for (const field of fieldsOf(type))
        if (String(field.type).startsWith('['))
          expect([type.name, field.name, String(field.type)]).toEqual([
            type.name,
            field.name,
            expect.stringMatching(/^\[\w+!\]!$/),
          ]);
    expect(isListType(schema.getQueryType()!.getFields().handoff!.type)).toBe(false);
  });
});
