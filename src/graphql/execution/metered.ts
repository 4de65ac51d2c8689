import {
  defaultFieldResolver, getNamedType, type GraphQLField, type GraphQLFieldResolver, type GraphQLSchema, introspectionTypes, isLeafType, isObjectType, SchemaMetaFieldDef,
  TypeMetaFieldDef, TypeNameMetaFieldDef,
} from 'graphql';
import type { OperationContext } from '../context';
import { OperationWork } from './work';

type Resolver = GraphQLFieldResolver<unknown, OperationContext | undefined>;

/** The key, the quotes and the comma of one field. */
const BYTES_OF_FIELD = 8;
/** Lists up to this length are never cut; what they contain is. So many neighbors of a longer one share a turn. */
const SHORT_LIST = 10;

const isPromise = (value: unknown): value is Promise<unknown> => typeof (value as { then?: unknown } | null)?.then === 'function';

/** Never settles. Each its own: reactions to a shared one would be kept for ever. */
const never = (): Promise<never> => new Promise<never>(() => undefined);

/**
 * A resolver that counts what it answers, waits for a turn when much was resolved already, and does nothing any more once
 * its operation is stopped. It does not throw then: the caller has its answer, and errors of siblings that graphql-js no
 * longer waits for would end the process.
 */
export function metered(resolve: Resolver): Resolver {
  return (source, args, context, info) => {
    const work = context?.work;
    // Fields of introspection belong to graphql-js, and others may execute them in this process with a context of their own.
    if (!(work instanceof OperationWork)) return resolve(source, args, context, info);
    if (work.isStopped) return never();
    work.line.count();
    const isLeaf = isLeafType(getNamedType(info.returnType));
    const value = resolve(source, args, context, info);
    const taken = (answered: unknown): unknown => (isLeaf ? leaf(answered, String(info.path.key), work) : composite(answered, String(info.path.key), work));
    return isPromise(value) ? later(value, work, taken) : taken(value);
  };
}

async function later(value: Promise<unknown>, work: OperationWork, taken: (answered: unknown) => unknown): Promise<unknown> {
  let answered: unknown;
  try {
    answered = await value;
  } catch (error) {
    if (work.isStopped) return never();
    throw error;
  }
  if (work.line.mustWait) await work.line.turn();
  return taken(answered);
}

function leaf(value: unknown, name: string, work: OperationWork): unknown {
  work.countBytes(BYTES_OF_FIELD + name.length + sizeOf(value));
  return work.isStopped ? never() : value;
}

const sizeOf = (value: unknown): number =>
  (typeof value === 'string' ? value.length : typeof value === 'object' && value !== null ? JSON.stringify(value).length : 4);

function composite(value: unknown, name: string, work: OperationWork): unknown {
  work.countBytes(BYTES_OF_FIELD + name.length);
  if (work.isStopped) return never();
  if (value === null || value === undefined) return value;
  work.countObjects(Array.isArray(value) ? value.length : 1);
  if (work.isStopped) return never();
  if (!Array.isArray(value)) return value;
  // graphql-js goes through a list as soon as it gets it, and lists that come together must see each other before that.
  work.line.count(value.length);
  return value.length > SHORT_LIST || work.line.mustWait ? inTurns(value, work) : value;
}

/**
 * graphql-js completes each item before it asks for the next one, so that the turn is looked at in between. Some
 * neighbors share one turn: a promise for each costs more than what they are.
 */
function* inTurns(items: readonly unknown[], work: OperationWork): Generator<unknown, void> {
  let turn: Promise<void> | undefined;
  let left = 0;
  for (const item of items) {
    if (work.isStopped) yield never();
    else if (left === 0 && !work.line.mustWait) yield item;
    else {
      if (left === 0) [turn, left] = [work.line.turn(), SHORT_LIST];
      left -= 1;
      yield turn!.then(() => (work.isStopped ? never() : item));
    }
  }
}

/** For fields without a resolver of their own; to be given to every execution. */
export const meteredFieldResolver: Resolver = metered(defaultFieldResolver as Resolver);

/** Makes every resolver of the schema a metered one. Called once, when the schema is built. */
export function meterResolvers(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap()))
    if (isObjectType(type) && !type.name.startsWith('__'))
      for (const field of Object.values(type.getFields())) if (field.resolve) field.resolve = metered(field.resolve as Resolver) as typeof field.resolve;
  meterIntrospection();
}

const meteredIntrospection = new WeakSet<GraphQLField<unknown, unknown>>();

/**
 * Makes the resolvers of introspection and of `__typename` metered ones: under a hundred aliases they answer as much as any
 * other field. graphql-js has one set of them for all schemas, so they are changed once per process.
 */
function meterIntrospection(): void {
  const ofTypes = introspectionTypes.filter(isObjectType).flatMap((type) => Object.values(type.getFields()));
  for (const field of [SchemaMetaFieldDef, TypeMetaFieldDef, TypeNameMetaFieldDef, ...ofTypes]) {
    if (!field.resolve || meteredIntrospection.has(field)) continue;
    meteredIntrospection.add(field);
    field.resolve = metered(field.resolve as Resolver) as typeof field.resolve;
  }
}
