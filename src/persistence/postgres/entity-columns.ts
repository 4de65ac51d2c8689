import { getMetadataArgsStorage } from 'typeorm';
import { toJson } from './sql';

type Entity<Row = unknown> = new () => Row;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? unknown : never) : never;

/** The columns that an entity declares, in its order. */
const columnsOf = (entity: Entity) => getMetadataArgsStorage().columns.filter(({ target }) => target === entity);

/**
 * Returns the fields of a record: the columns of its table, without `omitted`. Does not compile if the record and the
 * entity differ in anything else.
 */
export const fieldsOf =
  <T>() =>
  <Row, Omitted extends keyof Row = never>(
    entity: Entity<Row> & Same<keyof T, Exclude<keyof Row, Omitted>>,
    ...omitted: readonly Omitted[]
  ): readonly (keyof T & string)[] =>
    columnsOf(entity)
      .map(({ propertyName }) => propertyName as keyof T & string)
      .filter(field => !(omitted as readonly unknown[]).includes(field));

const jsonFields = new Map<Entity, ReadonlySet<string>>();

function jsonFieldsOf(entity: Entity): ReadonlySet<string> {
  const known = jsonFields.get(entity);
  if (known !== undefined) return known;
  const found = new Set(
    columnsOf(entity).flatMap(({ propertyName, options }) => (options.type === 'jsonb' ? [propertyName] : [])),
  );
  jsonFields.set(entity, found);
  return found;
}

/** Returns the values of a record's fields as parameters: a missing one is null, jsonb is text. */
export function valuesOf(entity: Entity, record: object, fields: readonly string[]): unknown[] {
  const json = jsonFieldsOf(entity);
  return fields.map(field => {
    const value = (record as Record<string, unknown>)[field] ?? null;
    return value !== null && json.has(field) ? toJson(value) : value;
  });
}

/** Returns the fields that a patch sets, with their values as parameters. */
export function changesOf(entity: Entity, patch: object, fields: readonly string[]): ReadonlyMap<string, unknown> {
  const set = fields.filter(field => (patch as Record<string, unknown>)[field] !== undefined);
  const values = valuesOf(entity, patch, set);
  return new Map(set.map((field, at) => [field, values[at]]));
}
