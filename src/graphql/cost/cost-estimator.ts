import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  valueFromASTUntyped,
} from 'graphql';
import type { FieldCosts } from './field-costs';
import { IntrospectionSizes } from './introspection-sizes';
import { MAX_LIST_SIZE } from './list-size';

/** Cost of a mutation in addition to its payload; the same as in routers' demand control. */
const MUTATION_COST = 10;
/** Cost of one object of the introspection types, which is small and in memory. */
const INTROSPECTION_WEIGHT = 0.5;
/** An upper bound of any cost: above every configurable limit, and well within the range of exact numbers. */
const MAX_COST = 1e12;
const capCost = (value: number): number => Math.min(value, MAX_COST);

/** Counts of the operation's root fields, without those that @skip and @include exclude. */
export interface RootCounts {
  readonly rootFields: number;
  /** Root fields that need an organization; composition and introspection use the others. */
  readonly tenantFields: number;
  /** `__schema` and `__type`, each occurrence and under any alias. */
  readonly introspections: number;
  /** Representations of all `_entities` fields together. */
  readonly representations: number;
}

export interface Estimate {
  readonly counts: RootCounts;
  /** One for each object that the result may have, plus the weights of `@cost`. Computed on call. */
  cost(): number;
}

const TENANTLESS_FIELDS: readonly string[] = ['_service', '__typename'];
const NO_COUNTS: RootCounts = { rootFields: 0, tenantFields: 0, introspections: 0, representations: 0 };
const addCounts = (one: RootCounts, other: RootCounts): RootCounts => ({
  rootFields: capCost(one.rootFields + other.rootFields),
  tenantFields: capCost(one.tenantFields + other.tenantFields),
  introspections: capCost(one.introspections + other.introspections),
  representations: capCost(one.representations + other.representations),
});

/**
 * Estimates the cost of an operation before execution: each list multiplies the cost of its items. Linear in the
 * document: a selection set is measured once for each type and page size, however many fragments lead to it.
 */
export class CostEstimator {
  private readonly introspection: IntrospectionSizes;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly costs: FieldCosts,
  ) {
    this.introspection = new IntrospectionSizes(schema);
  }

  /** @param variables as the caller gave them; execution later refuses those that do not fit their types */
  estimate(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ): Estimate {
    const measuring = new CostMeasurement(this.schema, this.costs, this.introspection, document, operation, variables);
    return { counts: measuring.countRootFields(operation.selectionSet), cost: () => measuring.cost() };
  }
}

/**
 * Facts that the parent field determines for a selection set: sizes of a connection's lists, and nesting of
 * introspection.
 */
interface ParentContext {
  readonly size: number;
  readonly sizedFields: readonly string[];
  readonly isWithin: boolean;
}
const NO_PARENT: ParentContext = { size: 1, sizedFields: [], isWithin: false };

class CostMeasurement {
  private readonly fragments = new Map<string, FragmentDefinitionNode>();
  private readonly measured = new Map<SelectionSetNode, Map<string, number>>();
  private readonly open = new Set<SelectionSetNode>();
  private readonly countsBySet = new Map<SelectionSetNode, RootCounts>();
  private readonly values: Record<string, unknown>;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly costs: FieldCosts,
    private readonly introspection: IntrospectionSizes,
    document: DocumentNode,
    private readonly operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ) {
    for (const one of document.definitions)
      if (one.kind === Kind.FRAGMENT_DEFINITION) this.fragments.set(one.name.value, one);
    const defaults = (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
      defaultValue === undefined ? [] : [[variable.name.value, valueFromASTUntyped(defaultValue)] as const],
    );
    this.values = { ...Object.fromEntries(defaults), ...variables };
  }

  cost(): number {
    const root = this.schema.getRootType(this.operation.operation);
    return root ? Math.ceil(this.costOfSet(this.operation.selectionSet, root, NO_PARENT)) : 0;
  }

  /** Counts root fields, those of a fragment each time it is spread. Measures each selection set once. */
  countRootFields(set: SelectionSetNode): RootCounts {
    const known = this.countsBySet.get(set);
    if (known) return known;
    // Also ends the recursion of a fragment that spreads itself, which validation refuses.
    this.countsBySet.set(set, NO_COUNTS);
    let sum = NO_COUNTS;
    for (const selection of set.selections) {
      if (this.isSkipped(selection.directives)) continue;
      const below =
        selection.kind === Kind.FIELD
          ? null
          : selection.kind === Kind.INLINE_FRAGMENT
            ? selection.selectionSet
            : this.fragments.get(selection.name.value)?.selectionSet;
      sum = addCounts(
        sum,
        selection.kind === Kind.FIELD
          ? this.countRootField(selection)
          : below
            ? this.countRootFields(below)
            : NO_COUNTS,
      );
    }
    this.countsBySet.set(set, sum);
    return sum;
  }

  private countRootField(field: FieldNode): RootCounts {
    const name = field.name.value;
    const isIntrospection = name === SchemaMetaFieldDef.name || name === TypeMetaFieldDef.name;
    return {
      rootFields: 1,
      tenantFields: isIntrospection || TENANTLESS_FIELDS.includes(name) ? 0 : 1,
      introspections: isIntrospection ? 1 : 0,
      representations: name === '_entities' ? this.representationsOf(field).length : 0,
    };
  }

  /** Returns the cost of a selection set on one object of the given type. */
  private costOfSet(set: SelectionSetNode, type: GraphQLObjectType, above: ParentContext): number {
    const key = `${type.name} ${above.size} ${above.sizedFields.join()} ${above.isWithin}`;
    const ofSet = this.measured.get(set) ?? new Map<string, number>();
    const known = ofSet.get(key);
    if (known !== undefined) return known;
    // Validation refuses cyclic fragments; here the recursion only has to end.
    if (this.open.has(set)) return 0;
    this.open.add(set);
    let cost = 0;
    const spread = new Set<string>();
    for (const selection of set.selections) {
      if (this.isSkipped(selection.directives)) continue;
      if (selection.kind === Kind.FIELD) cost += this.costOfField(selection, type, above);
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        cost += this.applies(selection.typeCondition?.name.value, type)
          ? this.costOfSet(selection.selectionSet, type, above)
          : 0;
      else if (!spread.has(selection.name.value)) {
        spread.add(selection.name.value);
        const fragment = this.fragments.get(selection.name.value);
        if (fragment && this.applies(fragment.typeCondition.name.value, type))
          cost += this.costOfSet(fragment.selectionSet, type, above);
      }
    }
    this.open.delete(set);
    cost = capCost(cost);
    this.measured.set(set, ofSet.set(key, cost));
    return cost;
  }

  private costOfField(node: FieldNode, parent: GraphQLObjectType, above: ParentContext): number {
    const name = node.name.value;
    const field =
      name === SchemaMetaFieldDef.name
        ? SchemaMetaFieldDef
        : name === TypeMetaFieldDef.name
          ? TypeMetaFieldDef
          : parent.getFields()[name];
    if (!field) return 0;
    if (name === '_entities' && parent === this.schema.getQueryType()) return this.costOfEntities(node);
    const given = this.costs.get(parent.name, name);
    const type = getNamedType(field.type);
    const isIntrospection = type.name.startsWith('__');
    const own = given.weight ?? (!isCompositeType(type) ? 0 : isIntrospection ? INTROSPECTION_WEIGHT : 1);
    const once = parent === this.schema.getMutationType() ? MUTATION_COST : 0;
    if (!isCompositeType(type) || !node.selectionSet) return once + own;
    const size = isIntrospection
      ? this.introspectionSize(name, field.type, above)
      : this.sizeOf(node, parent, field.type, above);
    const below: ParentContext = isIntrospection
      ? {
          ...NO_PARENT,
          isWithin: above.isWithin || name === TypeMetaFieldDef.name || this.introspection.isTypeList(name),
        }
      : given.sizedFields.length > 0
        ? { size: this.givenSize(node, parent), sizedFields: given.sizedFields, isWithin: false }
        : NO_PARENT;
    return once + size * (own + this.costOfCostliestType(node.selectionSet, type.name, below));
  }

  /** Returns the highest cost among the types that the value may have. */
  private costOfCostliestType(set: SelectionSetNode, typeName: string, above: ParentContext): number {
    const type = this.schema.getType(typeName);
    if (isObjectType(type)) return this.costOfSet(set, type, above);
    return isAbstractType(type)
      ? this.schema.getPossibleTypes(type).reduce((most, one) => Math.max(most, this.costOfSet(set, one, above)), 0)
      : 0;
  }

  /** Returns the cost of an `_entities` field. Each representation names its type, so only matching fragments count. */
  private costOfEntities(node: FieldNode): number {
    const counts = new Map<string, number>();
    for (const one of this.representationsOf(node)) {
      const name = (one as { readonly __typename?: unknown } | null)?.__typename;
      if (typeof name === 'string') counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    let cost = 1;
    for (const [name, count] of counts)
      if (node.selectionSet) cost += count * (1 + this.costOfCostliestType(node.selectionSet, name, NO_PARENT));
    return cost;
  }

  private representationsOf(node: FieldNode): readonly unknown[] {
    const value = this.argument(node, 'representations');
    // GraphQL accepts a single value in place of a list.
    return value === null || value === undefined ? [] : Array.isArray(value) ? value : [value];
  }

  private sizeOf(node: FieldNode, parent: GraphQLObjectType, type: GraphQLOutputType, above: ParentContext): number {
    if (!isListType(getNullableType(type))) return 1;
    if (above.sizedFields.includes(node.name.value)) return above.size;
    return this.givenSize(node, parent);
  }

  private givenSize(node: FieldNode, parent: GraphQLObjectType): number {
    const { slicingArguments, assumedSize } = this.costs.get(parent.name, node.name.value);
    const given = slicingArguments
      .map(name => this.argument(node, name))
      .filter((value): value is number => Number.isSafeInteger(value));
    // The resolver refuses a size above the page limit, so nothing nested is resolved.
    return given.length > 0 ? Math.min(Math.max(0, ...given), MAX_LIST_SIZE) : (assumedSize ?? 1);
  }

  private introspectionSize(name: string, type: GraphQLOutputType, above: ParentContext): number {
    return isListType(getNullableType(type)) ? this.introspection.get(name, above.isWithin) : 1;
  }

  private argument(node: FieldNode, name: string): unknown {
    const given = node.arguments?.find(argument => argument.name.value === name)?.value;
    return given === undefined ? undefined : valueFromASTUntyped(given, this.values);
  }

  private applies(condition: string | undefined, type: GraphQLObjectType): boolean {
    if (condition === undefined || condition === type.name) return true;
    const wanted = this.schema.getType(condition);
    return isAbstractType(wanted) && this.schema.isSubType(wanted, type);
  }

  private isSkipped(directives: readonly DirectiveNode[] | undefined): boolean {
    const condition = (name: string): unknown => {
      const given = directives
        ?.find(one => one.name.value === name)
        ?.arguments?.find(argument => argument.name.value === 'if')?.value;
      return given && valueFromASTUntyped(given, this.values);
    };
    return condition('skip') === true || condition('include') === false;
  }
}
