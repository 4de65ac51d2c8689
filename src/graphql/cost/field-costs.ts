import { type ConstDirectiveNode, type DocumentNode, Kind, valueFromASTUntyped } from 'graphql';

/** What the SDL says about the cost of one field. */
export interface FieldCost {
  /** Of each object or value; null: 1 for an object, nothing for a scalar. */
  readonly weight: number | null;
  /** Of a list whose size the call does not give; null: no list, or sized by the field above it. */
  readonly assumedSize: number | null;
  /** Arguments of which the largest is the size. */
  readonly slicingArguments: readonly string[];
  /** Lists of the returned object that have the size, in place of the field itself. */
  readonly sizedFields: readonly string[];
}

const FREE: FieldCost = { weight: null, assumedSize: null, slicingArguments: [], sizedFields: [] };

/** Reads `@cost` and `@listSize` of every field of a subgraph's SDL: what is published is what is enforced. */
export class FieldCosts {
  private readonly known = new Map<string, FieldCost>();

  constructor(document: DocumentNode) {
    for (const type of document.definitions) {
      if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
      for (const field of type.fields ?? []) {
        const listSize = argumentsOf(field.directives, 'listSize');
        const cost = argumentsOf(field.directives, 'cost');
        if (listSize === null && cost === null) continue;
        this.known.set(`${type.name.value}.${field.name.value}`, {
          weight: (cost?.['weight'] as number | undefined) ?? null,
          assumedSize: (listSize?.['assumedSize'] as number | undefined) ?? null,
          slicingArguments: (listSize?.['slicingArguments'] as string[] | undefined) ?? [],
          sizedFields: (listSize?.['sizedFields'] as string[] | undefined) ?? [],
        });
      }
    }
  }

  of(typeName: string, fieldName: string): FieldCost { return this.known.get(`${typeName}.${fieldName}`) ?? FREE; }
}

function argumentsOf(directives: readonly ConstDirectiveNode[] | undefined, name: string): Record<string, unknown> | null {
  const directive = directives?.find((one) => one.name.value === name);
  return directive === undefined ? null : Object.fromEntries((directive.arguments ?? []).map((argument) => [argument.name.value, valueFromASTUntyped(argument.value)]));
}
