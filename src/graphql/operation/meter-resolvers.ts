import {
  defaultFieldResolver,
  getNamedType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  introspectionTypes,
  isLeafType,
  isObjectType,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql';
import type { OperationContext } from './context';
import { OperationExecution } from './operation-execution';

type Resolver = GraphQLFieldResolver<unknown, OperationContext | undefined>;

/** Bytes of a field besides its name and value: quotes, colon and comma. */
const BYTES_PER_FIELD = 8;
/** Lists up to this length are not split, only their contents. In a longer list, this many neighbors share a slot. */
const MAX_UNSPLIT_LIST = 10;

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof (value as { then?: unknown } | null)?.then === 'function';

/**
 * Returns a promise that never settles. A new one each time, because reactions to a shared one would stay in memory.
 */
const neverSettles = (): Promise<never> => new Promise<never>(() => undefined);

/**
 * Wraps a resolver so that it counts its result, waits for a slot once much was resolved already, and stops with its
 * operation. A stopped resolver does not throw: the caller has a response already, and graphql-js no longer handles
 * errors of sibling fields, which would end the process as unhandled rejections.
 */
export function meterResolver(resolve: Resolver): Resolver {
  return (source, args, context, info) => {
    const work = context?.execution;
    // graphql-js shares the introspection fields in the whole process, so other code may execute them with its own
    // context.
    if (!(work instanceof OperationExecution)) return resolve(source, args, context, info);
    if (work.isStopped) return neverSettles();
    work.line.count();
    const isLeaf = isLeafType(getNamedType(info.returnType));
    const value = resolve(source, args, context, info);
    const countResult = (answered: unknown): unknown =>
      isLeaf ? countLeaf(answered, String(info.path.key), work) : countComposite(answered, String(info.path.key), work);
    return isPromise(value) ? countLater(value, work, countResult) : countResult(value);
  };
}

async function countLater(
  value: Promise<unknown>,
  work: OperationExecution,
  taken: (answered: unknown) => unknown,
): Promise<unknown> {
  let answered: unknown;
  try {
    answered = await value;
  } catch (error) {
    if (work.isStopped) return neverSettles();
    throw error;
  }
  if (work.line.mustWait) await work.line.nextSlot();
  return taken(answered);
}

function countLeaf(value: unknown, name: string, work: OperationExecution): unknown {
  work.countBytes(BYTES_PER_FIELD + name.length + sizeOf(value));
  return work.isStopped ? neverSettles() : value;
}

const sizeOf = (value: unknown): number =>
  typeof value === 'string'
    ? value.length
    : typeof value === 'object' && value !== null
      ? JSON.stringify(value).length
      : 4;

function countComposite(value: unknown, name: string, work: OperationExecution): unknown {
  work.countBytes(BYTES_PER_FIELD + name.length);
  if (work.isStopped) return neverSettles();
  if (value === null || value === undefined) return value;
  work.countObjects(Array.isArray(value) ? value.length : 1);
  if (work.isStopped) return neverSettles();
  if (!Array.isArray(value)) return value;
  // graphql-js iterates a list as soon as it gets it; counting now makes concurrently completed lists see each other.
  work.line.count(value.length);
  return value.length > MAX_UNSPLIT_LIST || work.line.mustWait ? yieldInSlots(value, work) : value;
}

/**
 * Yields the items of a list in slots. graphql-js completes each item before it asks for the next one, so the limit can
 * be checked in between. Neighbors share one slot, because a promise for each would cost more than the item.
 */
function* yieldInSlots(items: readonly unknown[], work: OperationExecution): Generator<unknown, void> {
  let turn: Promise<void> | undefined;
  let left = 0;
  for (const item of items) {
    if (work.isStopped) yield neverSettles();
    else if (left === 0 && !work.line.mustWait) yield item;
    else {
      if (left === 0) [turn, left] = [work.line.nextSlot(), MAX_UNSPLIT_LIST];
      left -= 1;
      yield turn!.then(() => (work.isStopped ? neverSettles() : item));
    }
  }
}

/** The resolver of fields that have none of their own. Pass it to every execution. */
export const meteredFieldResolver: Resolver = meterResolver(defaultFieldResolver as Resolver);

/** Meters every resolver of the schema. Called once, when the schema is built. */
export function meterResolvers(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap()))
    if (isObjectType(type) && !type.name.startsWith('__'))
      for (const field of Object.values(type.getFields()))
        if (field.resolve) field.resolve = meterResolver(field.resolve as Resolver) as typeof field.resolve;
  meterIntrospection();
}

const meteredIntrospection = new WeakSet<GraphQLField<unknown, unknown>>();

/**
 * Meters the resolvers of introspection and of `__typename`: with a hundred aliases their results are as large as those
 * of other fields. graphql-js shares them among all schemas, so they are replaced once per process.
 */
function meterIntrospection(): void {
  const ofTypes = introspectionTypes.filter(isObjectType).flatMap(type => Object.values(type.getFields()));
  for (const field of [SchemaMetaFieldDef, TypeMetaFieldDef, TypeNameMetaFieldDef, ...ofTypes]) {
    if (!field.resolve || meteredIntrospection.has(field)) continue;
    meteredIntrospection.add(field);
    field.resolve = meterResolver(field.resolve as Resolver) as typeof field.resolve;
  }
}
