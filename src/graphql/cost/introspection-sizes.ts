import { type GraphQLSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType, isUnionType } from 'graphql';

/** The lists of `__Type` that lead to further types. Within one of them the same lists count with their largest size. */
const LEADING = ['fields', 'inputFields', 'interfaces', 'possibleTypes'];

/** How long the lists of the introspection types are in one schema. */
export class IntrospectionSizes {
  private readonly mean: Readonly<Record<string, number>>;
  private readonly largest: Readonly<Record<string, number>>;

  constructor(schema: GraphQLSchema) {
    const types = Object.values(schema.getTypeMap());
    const lengths: Record<string, number[]> = { fields: [], inputFields: [], interfaces: [], possibleTypes: [], enumValues: [], args: [] };
    for (const type of types) {
      const hasFields = isObjectType(type) || isInterfaceType(type);
      const fields = hasFields ? Object.values(type.getFields()) : [];
      lengths['fields']!.push(fields.length);
      lengths['inputFields']!.push(isInputObjectType(type) ? Object.keys(type.getFields()).length : 0);
      lengths['interfaces']!.push(hasFields ? type.getInterfaces().length : 0);
      lengths['possibleTypes']!.push(isInterfaceType(type) || isUnionType(type) ? schema.getPossibleTypes(type).length : 0);
      lengths['enumValues']!.push(isEnumType(type) ? type.getValues().length : 0);
      lengths['args']!.push(...fields.map((field) => field.args.length));
    }
    const whole = { types: types.length, directives: schema.getDirectives().length };
    const each = (size: (of: readonly number[]) => number): Record<string, number> => Object.fromEntries(Object.entries(lengths).map(([name, of]) => [name, size(of)]));
    this.mean = { ...each((of) => of.reduce((sum, one) => sum + one, 0) / Math.max(1, of.length)), ...whole };
    this.largest = { ...each((of) => Math.max(0, ...of)), ...whole };
  }

  /**
   * The whole list of types has the mean number of fields each. What is reached through a field is most often one of the
   * large types, and so is what `__type` names.
   * @param isWithin whether another leading list, or `__type`, is above it
   */
  of(fieldName: string, isWithin: boolean): number { return (isWithin ? this.largest : this.mean)[fieldName] ?? 1; }

  leads(fieldName: string): boolean { return LEADING.includes(fieldName); }
}
