import { type GraphQLSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType, isUnionType } from 'graphql';

/** Lists of `__Type` that lead to further types. Below one of them, the same lists count with their largest size. */
const TYPE_LISTS = ['fields', 'inputFields', 'interfaces', 'possibleTypes'];

/** Sizes of the lists that introspection returns for one schema. */
export class IntrospectionSizes {
  private readonly mean: Readonly<Record<string, number>>;
  private readonly largest: Readonly<Record<string, number>>;

  constructor(schema: GraphQLSchema) {
    const types = Object.values(schema.getTypeMap());
    const lengths: Record<string, number[]> = {
      fields: [],
      inputFields: [],
      interfaces: [],
      possibleTypes: [],
      enumValues: [],
      args: [],
    };
    for (const type of types) {
      const hasFields = isObjectType(type) || isInterfaceType(type);
      const fields = hasFields ? Object.values(type.getFields()) : [];
      lengths['fields']!.push(fields.length);
      lengths['inputFields']!.push(isInputObjectType(type) ? Object.keys(type.getFields()).length : 0);
      lengths['interfaces']!.push(hasFields ? type.getInterfaces().length : 0);
      lengths['possibleTypes']!.push(
        isInterfaceType(type) || isUnionType(type) ? schema.getPossibleTypes(type).length : 0,
      );
      lengths['enumValues']!.push(isEnumType(type) ? type.getValues().length : 0);
      lengths['args']!.push(...fields.map(field => field.args.length));
    }
    const whole = { types: types.length, directives: schema.getDirectives().length };
    const each = (size: (of: readonly number[]) => number): Record<string, number> =>
      Object.fromEntries(Object.entries(lengths).map(([name, of]) => [name, size(of)]));
    this.mean = { ...each(get => get.reduce((sum, one) => sum + one, 0) / Math.max(1, get.length)), ...whole };
    this.largest = { ...each(get => Math.max(0, ...get)), ...whole };
  }

  /**
   * Returns the size to assume for a list field. In the complete list of types, each type has the mean number of
   * fields. A type that is reached through a field, or that `__type` names, is usually one of the large ones.
   * @param isWithin whether another list of this kind, or `__type`, is above it
   */
  get(fieldName: string, isWithin: boolean): number {
    return (isWithin ? this.largest : this.mean)[fieldName] ?? 1;
  }

  isTypeList(fieldName: string): boolean {
    return TYPE_LISTS.includes(fieldName);
  }
}
