import {
  getNamedType,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
} from 'graphql';

/** From one object to the next: a field and, after an interface or union, the concrete type. */
export interface Step {
  readonly field: string;
  readonly on: string | null;
}
/** How many objects of a type are reached at once, whatever the number. */
export interface Route {
  readonly type: string;
  readonly start: string;
  readonly steps: readonly Step[];
}

type Parent = GraphQLObjectType | GraphQLInterfaceType;

/** The shortest route to each type of the schema, from the first group of starts that reaches it. */
export function routesFrom(
  schema: GraphQLSchema,
  ...groups: readonly (readonly string[])[]
): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const starts of groups) extend(schema, routes, starts);
  return routes;
}

function extend(schema: GraphQLSchema, routes: Map<string, Route>, starts: readonly string[]): void {
  for (const type of starts) if (!routes.has(type)) routes.set(type, { type, start: type, steps: [] });
  // A map iterates over entries that are added during the iteration.
  for (const route of routes.values()) {
    const parent = schema.getType(route.type);
    if (!isParent(parent)) continue;
    for (const field of Object.values(parent.getFields())) {
      const target = getNamedType(field.type);
      if (!isCompositeType(target)) continue;
      const reached = isAbstractType(target) ? [target, ...schema.getPossibleTypes(target)] : [target];
      for (const type of reached)
        if (!routes.has(type.name))
          routes.set(type.name, {
            type: type.name,
            start: route.start,
            steps: [...route.steps, { field: field.name, on: type === target ? null : type.name }],
          });
    }
  }
}

export const isParent = (type: unknown): type is Parent => isObjectType(type) || isInterfaceType(type);

/** Every field that leads to other objects, and all the other fields of a type as one. */
export function edgesOf(
  schema: GraphQLSchema,
  route: Route,
): readonly { readonly name: string; readonly selection: string; readonly fields: readonly string[] }[] {
  const parent = schema.getType(route.type);
  if (!isParent(parent)) return [];
  const fields = Object.values(parent.getFields());
  const composite = fields.filter(field => isCompositeType(getNamedType(field.type)));
  const plain = fields.filter(field => !composite.includes(field));
  return [
    ...composite.map(field => ({ name: field.name, selection: `${call(field)} { __typename }`, fields: [field.name] })),
    ...(plain.length === 0 ? [] : [{ name: 'plain fields', selection: plain.map(call).join(' '), fields: [] }]),
  ];
}

const call = (field: GraphQLField<unknown, unknown>): string =>
  `${field.name}${field.args.some(({ name }) => name === 'first') ? '(first: 100)' : ''}`;

/** The selection set on a start that ends with `inner` on the route's type. */
export function selectionOf(schema: GraphQLSchema, { start, steps }: Route, inner: string): string {
  const [step, ...rest] = steps;
  if (step === undefined) return `__typename ${inner}`;
  const parent = schema.getType(start) as Parent;
  const field = parent.getFields()[step.field]!;
  const next = step.on ?? getNamedType(field.type).name;
  const within = selectionOf(schema, { type: next, start: next, steps: rest }, inner);
  return `${call(field)} { ${step.on === null ? within : `__typename ... on ${step.on} { ${within} }`} }`;
}

/** The objects at the end of a route, in the result of its selection. */
export function objectsAt(value: unknown, { steps }: Route): readonly Record<string, unknown>[] {
  const objects = flat(value);
  const [step, ...rest] = steps;
  if (step === undefined) return objects;
  const next = objects
    .flatMap(one => flat(one[step.field]))
    .filter(one => step.on === null || one['__typename'] === step.on);
  return objectsAt(next, { type: '', start: '', steps: rest });
}

function flat(value: unknown): Record<string, unknown>[] {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? value.flatMap(flat) : [value as Record<string, unknown>];
}
