import { type ConstDirectiveNode, type DocumentNode, Kind, valueFromASTUntyped } from 'graphql';

/** The cost of one field, as the SDL declares it. */
export interface FieldCost {
  /** Cost of each object or value; null: 1 for an object, 0 for a scalar. */
  readonly weight: number | null;
  /** Size of a list if the arguments do not give it; null: no list, or the parent field determines the size. */
  readonly assumedSize: number | null;
  /** Arguments that give the size; the largest one counts. */
  readonly slicingArguments: readonly string[];
  /** Lists of the returned object that have this size, in place of the field itself. */
  readonly sizedFields: readonly string[];
}

const NO_COST: FieldCost = { weight: null, assumedSize: null, slicingArguments: [], sizedFields: [] };

/**
 * Reads `@cost` and `@listSize` of every field from the subgraph's SDL, so that the published costs are the enforced
 * ones.
 */
export class FieldCosts {
  private readonly costs = new Map<string, FieldCost>();

  constructor(document: DocumentNode) {
    for (const type of document.definitions) {
      if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
      for (const field of type.fields ?? []) {
        const listSize = argumentsOf(field.directives, 'listSize');
        const cost = argumentsOf(field.directives, 'cost');
        if (listSize === null && cost === null) continue;
        this.costs.set(`${type.name.value}.${field.name.value}`, {
          weight: (cost?.['weight'] as number | undefined) ?? null,
          assumedSize: (listSize?.['assumedSize'] as number | undefined) ?? null,
          slicingArguments: (listSize?.['slicingArguments'] as string[] | undefined) ?? [],
          sizedFields: (listSize?.['sizedFields'] as string[] | undefined) ?? [],
        });
      }
    }
  }

  get(typeName: string, fieldName: string): FieldCost {
    return this.costs.get(`${typeName}.${fieldName}`) ?? NO_COST;
  }
}

function argumentsOf(
  directives: readonly ConstDirectiveNode[] | undefined,
  name: string,
): Record<string, unknown> | null {
  const directive = directives?.find(one => one.name.value === name);
  return directive === undefined
    ? null
    : Object.fromEntries(
        (directive.arguments ?? []).map(argument => [argument.name.value, valueFromASTUntyped(argument.value)]),
      );
}
