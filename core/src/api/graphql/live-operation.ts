import { createHash } from 'node:crypto';
import type { Awaitable } from '@tappaas/sdk';
import { execute, Kind, visit, type ExecutionResult, type FieldNode, type GraphQLSchema, type SelectionSetNode } from 'graphql';
import { compileOperation, type CompiledOperation, type Variables } from './compiled-operation.js';
import type { GraphqlContext } from './context.js';
import { fragmentsOf, type Fragments, type PlannedOperation } from './document.js';
import type { EventText, EventTexts } from './event-texts.js';
import type { LiveEvent } from './live-events.js';
import { wireError } from './wire-errors.js';

/** Variables of a subscription, and what decides which subscriptions it shares texts with. */
interface LiveCircumstances {
  readonly variables: Variables | undefined;
  /** Everything about the caller that may change the result. */
  readonly scope: string;
  readonly texts: EventTexts;
}

/** Executes the operation of one subscription for each event; executions with the same result for several subscribers are shared. */
export class LiveOperation {
  readonly #schema: GraphQLSchema;
  readonly #plan: PlannedOperation;
  readonly #variables: Variables | undefined;
  readonly #key: string;
  readonly #rootKey: string;
  readonly #always: ReadonlySet<string>;
  readonly #compiled: CompiledOperation | undefined;
  readonly #texts: EventTexts;
  readonly #beganAt: number;

  /** Must be called before the subscription reads anything, so that its age is right. */
  constructor(schema: GraphQLSchema, plan: PlannedOperation, { variables, scope, texts }: LiveCircumstances) {
    this.#texts = texts;
    this.#beganAt = texts.begin();
    this.#schema = schema;
    this.#plan = plan;
    this.#variables = variables;
    const root = rootField(plan);
    this.#rootKey = root.alias?.value ?? root.name.value;
    this.#always = alwaysNew(root.selectionSet, fragmentsOf(plan.document));
    this.#key = keyOf(plan, root, variables, scope);
    this.#compiled = compileOperation(schema, plan.document, plan.operation);
  }

  /** Returns the text of an event, shared by all subscribers with the same operation, variables and rights. */
  textFor(event: LiveEvent, context: () => GraphqlContext): Awaitable<EventText> {
    const { type = '', resourceVersion = '' } = (event.value ?? {}) as { readonly type?: string; readonly resourceVersion?: string };
    const make = () => this.#makeText(event, context());
    return event.shared === undefined
      ? make()
      : this.#texts.once(event.shared, `${type} ${resourceVersion} ${this.#key}`, this.#beganAt, make);
  }

  async #makeText(event: LiveEvent, context: GraphqlContext): Promise<EventText> {
    const { data, errors } = await this.#execute(event, context);
    const place = { requestId: context.requestId, log: context.parts.log };
    const wireErrors = errors?.map((error) => wireError(error, place));
    const value: unknown = data?.[this.#rootKey];
    const selected = typeof value === 'object' && value !== null ? Object.entries(value).filter(([key]) => !this.#always.has(key)) : value;
    const digest = createHash('sha1')
      .update(JSON.stringify(selected) ?? '')
      .digest('base64');
    const text = JSON.stringify(wireErrors === undefined ? { data } : { data, errors: wireErrors });
    // An aborted execution is incomplete: its text says nothing about the object.
    if (context.signal.aborted) return { text, digest, goodFor: 'nobody' };
    if (wireErrors !== undefined) return { text, digest, goodFor: 'waiting' };
    return { text, digest, goodFor: context.hasRead ? 'present' : 'everybody' };
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

/** Finds the root field; validation has ensured that a subscription has exactly one. */
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

/** Returns the response keys that differ with every event; a difference in these alone is no reason to send it. */
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

/** Ignores variables that only select objects, such as `since`: they make no difference to the text of one event. */
function keyOf({ document, operation }: PlannedOperation, root: FieldNode, variables: Variables | undefined, scope: string): string {
  const used = new Set<string>();
  const note = { Variable: ({ name }: { readonly name: { readonly value: string } }) => void used.add(name.value) };
  if (root.selectionSet !== undefined) visit(root.selectionSet, note);
  for (const definition of document.definitions) if (definition.kind === Kind.FRAGMENT_DEFINITION) visit(definition, note);
  const selected = Object.entries(variables ?? {}).filter(([name]) => used.has(name));
  const { body = '' } = document.loc?.source ?? {};
  return createHash('sha256')
    .update(JSON.stringify([body, operation.name?.value, selected, scope]))
    .digest('base64');
}
