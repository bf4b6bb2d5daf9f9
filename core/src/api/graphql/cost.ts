/**
 * Computes the cost of an operation before any of it runs. A field costs its own points plus, times the number of objects below it, the
 * cost of its selections and one point per object. The number comes from the argument that counts the objects, whether its value is a
 * literal, a variable, a variable's default or a default of the schema. Each fragment is computed once, so deeply nested fragments are
 * cheap to analyze however costly they would be to execute.
 */
import {
  getNamedType,
  isCompositeType,
  isObjectType,
  isInterfaceType,
  Kind,
  type FieldNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import type { OperationCost } from './context.js';
import type { Fragments } from './document.js';
import type { CostHint } from './schema/cost-hints.js';

/** Maximum levels of fields in one operation; graphql's own validation rule bounds introspection. */
export const depthMax = 10;
/** Maximum points of one operation. */
export const costMax = 5_000;

const introspectionPoints: Readonly<Record<string, number>> = { __schema: 1_000, __type: 100 };

type Variables = Readonly<Record<string, unknown>>;

/** Computes the cost of an operation for the given variables; the document must be valid. */
export function costOf(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Fragments,
  variables: Variables,
): OperationCost & { readonly outOfBounds?: string } {
  const root = schema.getRootType(operation.operation);
  if (root === undefined || root === null) return { cost: 0, depth: 0 };
  const reckoning = new Reckoning(schema, operation, fragments, variables);
  const found = reckoning.selections(operation.selectionSet, root);
  return reckoning.outOfBounds === undefined ? found : { ...found, outOfBounds: reckoning.outOfBounds };
}

class Reckoning {
  readonly #schema: GraphQLSchema;
  readonly #operation: OperationDefinitionNode;
  readonly #fragments: Fragments;
  readonly #variables: Variables;
  readonly #known = new Map<string, OperationCost>();
  /** Message about the first argument outside of its bounds. */
  outOfBounds: string | undefined;

  constructor(schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Fragments, variables: Variables) {
    this.#schema = schema;
    this.#operation = operation;
    this.#fragments = fragments;
    this.#variables = variables;
  }

  selections({ selections }: SelectionSetNode, type: GraphQLNamedType): OperationCost {
    let cost = 0;
    let depth = 0;
    for (const selection of selections) {
      const part =
        selection.kind === Kind.FIELD
          ? this.#field(selection, type)
          : selection.kind === Kind.FRAGMENT_SPREAD
            ? this.#fragment(selection.name.value)
            : this.selections(selection.selectionSet, this.#typeNamed(selection.typeCondition?.name.value) ?? type);
      cost += part.cost;
      depth = Math.max(depth, part.depth);
    }
    return { cost, depth };
  }

  #fragment(name: string): OperationCost {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    const type = this.#typeNamed(fragment?.typeCondition.name.value);
    const made = fragment === undefined || type === undefined ? { cost: 0, depth: 0 } : this.selections(fragment.selectionSet, type);
    this.#known.set(name, made);
    return made;
  }

  #field(node: FieldNode, parent: GraphQLNamedType): OperationCost {
    const introspection = introspectionPoints[node.name.value];
    if (introspection !== undefined) return { cost: introspection, depth: 1 };
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
    if (field === undefined) return { cost: 0, depth: 1 };
    const type = getNamedType(field.type);
    const hint = (field.extensions['cost'] ?? {}) as CostHint;
    const below = node.selectionSet === undefined ? { cost: 0, depth: 0 } : this.selections(node.selectionSet, type);
    this.#noteBounds(hint, field, node);
    const points = hint.points ?? (isCompositeType(type) ? 1 : 0);
    const counted = hint.countedBy !== undefined && isCompositeType(type) ? 1 : 0;
    return { cost: points + this.#count(hint, field, node) * (counted + below.cost), depth: 1 + below.depth };
  }

  /** Anything but a valid number counts as countMax: #noteBounds or type validation rejects it later. */
  #count({ countedBy, count = 1, countMax = Infinity }: CostHint, field: GraphQLField<unknown, unknown>, node: FieldNode): number {
    if (countedBy === undefined) return count;
    const value = this.#valueOf(countedBy, field, node);
    const number = Array.isArray(value) ? value.length : typeof value === 'number' && !Number.isNaN(value) ? value : countMax;
    return Math.min(Math.max(number, 0), countMax);
  }

  /** Notes a number below 1 or above its maximum, or a list longer than its maximum; the operation is rejected before it runs. */
  #noteBounds({ countedBy, countMax, bounds = {} }: CostHint, field: GraphQLField<unknown, unknown>, node: FieldNode): void {
    const all = countedBy === undefined || countMax === undefined ? bounds : { ...bounds, [countedBy]: countMax };
    for (const argument in all) {
      const max = all[argument] ?? Infinity;
      const value = this.#valueOf(argument, field, node);
      const [number, min] = Array.isArray(value) ? [value.length, 0] : [value, 1];
      if (typeof number !== 'number' || (number >= min && number <= max)) continue;
      this.outOfBounds ??= `argument ${argument} of ${node.name.value}: expected ${min} to ${max}, found ${number}`;
    }
  }

  #valueOf(name: string, field: GraphQLField<unknown, unknown>, node: FieldNode): unknown {
    const argument = field.args.find((each) => each.name === name);
    const given = node.arguments?.find((each) => each.name.value === name)?.value;
    return argument === undefined ? undefined : this.#argument(given, argument);
  }

  #argument(given: ValueNode | undefined, { defaultValue }: GraphQLArgument): unknown {
    if (given === undefined) return defaultValue;
    if (given.kind !== Kind.VARIABLE) return literal(given);
    const name = given.name.value;
    if (Object.hasOwn(this.#variables, name)) return this.#variables[name];
    const declared = this.#operation.variableDefinitions?.find(({ variable }) => variable.name.value === name)?.defaultValue;
    return declared === undefined ? defaultValue : literal(declared);
  }

  #typeNamed(name: string | undefined): GraphQLNamedType | undefined {
    return name === undefined ? undefined : this.#schema.getType(name);
  }
}

function literal(node: ValueNode): unknown {
  if (node.kind === Kind.INT) return Number(node.value);
  return node.kind === Kind.LIST ? node.values : undefined;
}
