import { createHash } from 'node:crypto';
import { execute, Kind, visit, type ExecutionResult, type FieldNode, type GraphQLSchema, type SelectionSetNode } from 'graphql';
import { compileOperation, type CompiledOperation, type Variables } from './compiled-operation.js';
import type { GraphqlContext } from './context.js';
import { fragmentsOf, type Fragments, type PlannedOperation } from './document.js';
import type { LiveEvent } from './live-events.js';
import { wireError } from './wire-errors.js';

/** An event as it is told, and what tells whether it says anything new of its object. */
export interface EventText {
  /** An execution result as JSON. */
  readonly text: string;
  readonly digest: string;
}

/** Executes the events of one subscription's operation; what is the same for several subscribers is executed once. */
export class LiveOperation {
  readonly #schema: GraphQLSchema;
  readonly #plan: PlannedOperation;
  readonly #variables: Variables | undefined;
  readonly #key: string;
  readonly #rootKey: string;
  readonly #always: ReadonlySet<string>;
  readonly #compiled: CompiledOperation | undefined;

  constructor(schema: GraphQLSchema, plan: PlannedOperation, variables: Variables | undefined, scope: string) {
    this.#schema = schema;
    this.#plan = plan;
    this.#variables = variables;
    const root = rootField(plan);
    this.#rootKey = root.alias?.value ?? root.name.value;
    this.#always = alwaysNew(root.selectionSet, fragmentsOf(plan.document));
    this.#key = keyOf(plan, root, variables, scope);
    this.#compiled = compileOperation(schema, plan.document, plan.operation);
  }

  /** What an event is told as, for everybody whose operation, variables and rights are the same. */
  tell(event: LiveEvent, texts: EventTexts, context: () => GraphqlContext): Promise<EventText> {
    const type = (event.value as { readonly type?: string } | undefined)?.type ?? '';
    return event.shared === undefined
      ? this.#told(event, context())
      : texts.once(event.shared, `${type} ${this.#key}`, () => this.#told(event, context()));
  }

  async #told(event: LiveEvent, context: GraphqlContext): Promise<EventText> {
    const { data, errors } = await this.#execute(event, context);
    const place = { requestId: context.requestId, log: context.parts.log };
    const told = errors?.map((error) => wireError(error, place));
    const value: unknown = data?.[this.#rootKey];
    const telling = typeof value === 'object' && value !== null ? Object.entries(value).filter(([key]) => !this.#always.has(key)) : value;
    const digest = createHash('sha1')
      .update(JSON.stringify(telling) ?? '')
      .digest('base64');
    return { text: JSON.stringify(told === undefined ? { data } : { data, errors: told }), digest };
  }

  async #execute(rootValue: LiveEvent, contextValue: GraphqlContext): Promise<ExecutionResult> {
    if (this.#compiled !== undefined) return this.#compiled.query(rootValue, contextValue, this.#variables);
    const { document, operation } = this.#plan;
    const operationName = operation.name?.value;
    return execute({
      schema: this.#schema,
      document,
      rootValue,
      contextValue,
      variableValues: this.#variables ?? null,
      operationName: operationName ?? null,
    });
  }
}

/** The texts of events, as long as somebody holds on to the objects that they are about. */
export class EventTexts {
  readonly #known = new WeakMap<object, Map<string, Promise<EventText>>>();

  once(shared: object, key: string, make: () => Promise<EventText>): Promise<EventText> {
    const texts = this.#known.get(shared) ?? new Map<string, Promise<EventText>>();
    this.#known.set(shared, texts);
    const known = texts.get(key);
    if (known !== undefined) return known;
    const made = make();
    texts.set(key, made);
    return made;
  }
}

/** Validation has made sure that a subscription has one field. */
function rootField({ operation, document }: PlannedOperation): FieldNode {
  const fragments = fragmentsOf(document);
  const find = ({ selections }: SelectionSetNode): FieldNode | undefined => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) return selection;
      const below = selection.kind === Kind.INLINE_FRAGMENT ? selection.selectionSet : fragments.get(selection.name.value)?.selectionSet;
      const found = below && find(below);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const root = find(operation.selectionSet);
  if (root === undefined) throw new RangeError('the subscription has no field');
  return root;
}

const alwaysNewFields: ReadonlySet<string> = new Set(['type', 'resourceVersion']);

/** Response keys that say something new with every event; they alone are no reason to tell it. */
function alwaysNew(selectionSet: SelectionSetNode | undefined, fragments: Fragments): ReadonlySet<string> {
  const keys = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        if (alwaysNewFields.has(selection.name.value)) keys.add(selection.alias?.value ?? selection.name.value);
      } else {
        const below = selection.kind === Kind.INLINE_FRAGMENT ? selection.selectionSet : fragments.get(selection.name.value)?.selectionSet;
        if (below !== undefined) collect(below);
      }
    }
  };
  if (selectionSet !== undefined) collect(selectionSet);
  return keys;
}

/** Variables that only say which objects are followed, such as `since`, make no difference to how one event is told. */
function keyOf({ document, operation }: PlannedOperation, root: FieldNode, variables: Variables | undefined, scope: string): string {
  const used = new Set<string>();
  const note = { Variable: ({ name }: { readonly name: { readonly value: string } }) => void used.add(name.value) };
  if (root.selectionSet !== undefined) visit(root.selectionSet, note);
  for (const definition of document.definitions) if (definition.kind === Kind.FRAGMENT_DEFINITION) visit(definition, note);
  const telling = Object.entries(variables ?? {}).filter(([name]) => used.has(name));
  const { body = '' } = document.loc?.source ?? {};
  return createHash('sha256')
    .update(JSON.stringify([body, operation.name?.value, telling, scope]))
    .digest('base64');
}
