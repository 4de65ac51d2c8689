import { getIntrospectionQuery } from 'graphql';

const ALL = {
  descriptions: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
} as const;

const typeReference = (levels: number): string =>
  levels === 0 ? 'kind name' : `kind name ofType { ${typeReference(levels - 1)} }`;

/** The form of tools before graphql-js 15, and still of rover and of clients in other languages. */
const classic = (levels: number, argumentsOf = '', more = ''): string => `query IntrospectionQuery {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType }
    directives { name description locations ${more} args${argumentsOf} { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description
  fields(includeDeprecated: true) { name description args${argumentsOf} { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields${argumentsOf} { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { ${typeReference(levels)} }`;

/** Apollo Client adds it to each selection below the operation. */
const withTypenames = (query: string): string =>
  query.replaceAll(/\{(?=\s*(?:kind|name|\.\.\.|queryType))/g, '{ __typename');

/** The introspection queries of tools. All must be answered, whatever the limits are. */
export const INTROSPECTIONS: Readonly<Record<string, string>> = {
  'graphql-js with everything, codegen': getIntrospectionQuery(ALL),
  'graphql-js by default': getIntrospectionQuery(),
  GraphiQL: getIntrospectionQuery({ schemaDescription: true, inputValueDeprecation: true }),
  'GraphiQL without descriptions': getIntrospectionQuery({ descriptions: false }),
  'Apollo Sandbox and Explorer': withTypenames(
    getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true }),
  ),
  'rover graph introspect, Apollo Kotlin and iOS': classic(7, '(includeDeprecated: true)', 'isRepeatable'),
  'GraphQL Playground, Postman, graphql-java': classic(7),
  'the oldest': classic(3),
  'composition, rover subgraph introspect': 'query SubgraphIntrospectQuery { _service { sdl } }',
  'a poll of Apollo Sandbox, a health check': 'query { __typename }',
  'the names of fields': '{ __schema { types { name fields { name type { name kind ofType { name kind } } } } } }',
  'one type':
    'query ($name: String = "Handoff") { __type(name: $name) { name description fields { name description type { name } args { name defaultValue } } } }',
};
