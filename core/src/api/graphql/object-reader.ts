import DataLoader from 'dataloader';
import { type Awaitable, type Caller, isTapError, type Key, platformEngine } from '@tappaas/sdk';
import { after, rescued } from '../after.js';
import { accessRequest, asReview } from '../authorization.js';
import { narrowedSelectors } from '../request/list-parameters.js';
import type { Narrowing, Verdict } from '../../ports/access.js';
import type { ListPage, ServedKind } from '../../ports/engine.js';
import type { AccessOutcome, RequestedAccess } from './audit-entry.js';
import type { GraphqlParts } from './ports.js';
import { graphqlErrors } from './errors.js';
import { NewestChildren } from './newest-children.js';
import { eventsOfTheClusterNamespace, operationsOfTheClusterNamespace } from './cluster-events.js';
import type { RecordedAccess } from './recorded-access.js';
import { wholeList } from './whole-list.js';

/** An object as the engine serves it. */
export interface ObjectBody {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** The caller of a read, and its lifetime. */
interface Reading {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly access: RecordedAccess;
}

/** Selectors and position of a page. */
export interface PageQuery {
  readonly namespace?: string;
  readonly labels?: string;
  readonly fields?: string;
  readonly first: number;
  readonly after?: string;
}

/** A relation to children, which are read together for all siblings of a parent. */
export interface Relation {
  readonly kind: ServedKind;
  /** Indexed field of the children that names their parent. */
  readonly field: string;
}

/** A parent. Children must have its namespace as well as name its uid: users may write any uid in their own namespaces. */
interface Parent {
  readonly uid: string;
  readonly namespace: string;
}

type ChildLoader = DataLoader<Parent, readonly ObjectBody[], string>;

const keysMax = 10_000;
/** Maximum children of all siblings per page, and in all. */
const childrenBounds = { pageMax: 2_000, max: 100_000 };

/**
 * Reads objects of the platform's engine as one caller; callers without access over REST get the same error here. Lives as long as one
 * operation and caches what it has read, so one operation sees one state of each object.
 */
export class ObjectReader {
  readonly #parts: GraphqlParts;
  readonly #call: Reading;
  readonly #byKey = new Map<ServedKind, DataLoader<Key, ObjectBody | undefined, string>>();
  readonly #everywhere = new Map<ServedKind, Promise<boolean>>();
  readonly #children = new Map<string, ChildLoader>();

  constructor(parts: GraphqlParts, call: Reading) {
    this.#parts = parts;
    this.#call = call;
  }

  /** Reads one object; returns undefined when it does not exist. @throws TAP_REQUEST_FORBIDDEN */
  get(kind: ServedKind, key: Key): Awaitable<ObjectBody | undefined> {
    const read = () =>
      after(this.#parts.engine().getMany(pathOf(kind), [key], this.#call), ([served]) => served?.object as ObjectBody | undefined);
    return this.#call.access.read(requested('get', kind, key), read, foundObject);
  }

  /** Same as `get`, batched with the other objects of the kind requested in the same tick. @throws TAP_REQUEST_FORBIDDEN */
  async load(kind: ServedKind, key: Key): Promise<ObjectBody | undefined> {
    return this.#call.access.read(requested('get', kind, key), () => this.#loader(kind).load(key), foundObject);
  }

  /** Returns one page of a kind, in the order of keys. @throws TAP_REQUEST_FORBIDDEN and errors of the engine */
  list(kind: ServedKind, query: PageQuery): Awaitable<ListPage> {
    const { namespace, labels, fields, first, after: cursor } = query;
    const call = this.#call;
    const read = ({ narrowed }: Verdict): Awaitable<ListPage> => {
      const selectors = { ...(labels !== undefined && { labelSelector: labels }), ...(fields !== undefined && { fieldSelector: fields }) };
      const requested = {
        target: { kind: pathOf(kind), ...(namespace !== undefined && { namespace }) },
        ...narrowedSelectors(selectors, narrowed),
        ...(cursor !== undefined && { continueToken: cursor }),
        limit: first,
        get signal() {
          return call.signal;
        },
      };
      return rescued(() => this.#parts.engine().list(requested), refuseCursor);
    };
    return call.access.read(requested('list', kind, { namespace }), read, foundPage);
  }

  /**
   * Returns the children of an object, newest first; one paged read of the engine serves all its siblings.
   *
   * @throws TAP_REQUEST_FORBIDDEN
   */
  async related({ kind, field }: Relation, { metadata: { uid, namespace } }: ObjectBody): Promise<readonly ObjectBody[]> {
    const within = (await this.#mayListAll(kind)) ? undefined : namespace;
    const parent = { uid, namespace: namespace ?? operationsOfTheClusterNamespace };
    const read = ({ narrowed }: Verdict): Promise<readonly ObjectBody[]> =>
      this.#childrenOf({ kind, field }, within, narrowed).load(parent);
    return this.#call.access.read(requested('list', kind, { namespace: within }), read, () => found);
  }

  /**
   * Returns the Events about a cluster-scoped object. They are stored in `default`, and visible to callers who may get the object itself.
   *
   * @throws TAP_REQUEST_FORBIDDEN
   */
  async eventsAbout(about: ServedKind, events: Relation, { metadata: { name, uid } }: ObjectBody): Promise<readonly ObjectBody[]> {
    const namespace = eventsOfTheClusterNamespace;
    const read = (): Promise<readonly ObjectBody[]> => this.#childrenOf(events, namespace, undefined).load({ uid, namespace });
    const listed = requested('list', events.kind, { namespace });
    return this.#call.access.read(requested('get', about, { name }), read, () => found, listed);
  }

  /** Whether the caller may list the kind in all namespaces; if so, children of all namespaces are read at once. */
  #mayListAll(kind: ServedKind): Promise<boolean> {
    const known = this.#everywhere.get(kind);
    if (known !== undefined) return known;
    const requested = this.#isPermitted(kind);
    this.#everywhere.set(kind, requested);
    return requested;
  }

  async #isPermitted(kind: ServedKind): Promise<boolean> {
    const { decision } = await asReview(this.#parts.authorize)(
      accessRequest({ engine: platformEngine, path: '', verb: 'list', target: { kind: pathOf(kind) } }, this.#call.caller),
    );
    return decision === 'allow';
  }

  #loader(kind: ServedKind): DataLoader<Key, ObjectBody | undefined, string> {
    const known = this.#byKey.get(kind);
    if (known !== undefined) return known;
    const made = new DataLoader<Key, ObjectBody | undefined, string>(
      async (keys) => {
        const found = await this.#parts.engine().getMany(pathOf(kind), keys, this.#call);
        return found.map((served) => served?.object as ObjectBody | undefined);
      },
      { cacheKeyFn: ({ namespace = '', name }) => `${namespace}/${name}`, maxBatchSize: keysMax },
    );
    this.#byKey.set(kind, made);
    return made;
  }

  #childrenOf(relation: Relation, namespace: string | undefined, narrowed: Narrowing | undefined): ChildLoader {
    const { kind, field } = relation;
    const id = `${kind.group}/${kind.plural} ${field} ${namespace ?? ''}`;
    const loader = this.#children.get(id) ?? this.#childLoader(relation, namespace, narrowed);
    this.#children.set(id, loader);
    return loader;
  }

  #childLoader({ kind, field }: Relation, namespace: string | undefined, narrowed: Narrowing | undefined): ChildLoader {
    const path = field.split('.');
    const load = async (parents: readonly Parent[]): Promise<(readonly ObjectBody[])[]> => {
      const children = new NewestChildren();
      const query = {
        target: { kind: pathOf(kind), ...(namespace !== undefined && { namespace }) },
        ...narrowed,
        fieldValues: { field, values: parents.map(({ uid }) => uid) },
        signal: this.#call.signal,
      };
      for await (const page of wholeList(this.#parts.engine(), query, childrenBounds))
        for (const child of page) children.add(keyOf(valueAt(child, path), child.metadata.namespace), child);
      return parents.map((parent) => children.of(keyOf(parent.uid, parent.namespace)));
    };
    return new DataLoader(load, { cacheKeyFn: ({ uid, namespace: own }) => keyOf(uid, own) });
  }
}

const keyOf = (uid: unknown, namespace = ''): string => `${namespace}/${String(uid)}`;

/** Renames the field in errors: what REST calls `continue` is `after` here. */
function refuseCursor(error: unknown): never {
  if (!isTapError(error) || error.field !== 'continue') throw error;
  const message = 'after: expected a cursor of the same list, found another';
  throw graphqlErrors.TAP_GRAPHQL_ARGUMENT_INVALID({ field: 'after', message, cause: error });
}

const found: AccessOutcome = { status: 200 };
const notFound: AccessOutcome = { status: 404 };

function foundObject(object: ObjectBody | undefined): AccessOutcome {
  return object === undefined ? notFound : { ...found, body: () => JSON.stringify(object) };
}

function foundPage({ items }: ListPage): AccessOutcome {
  return { ...found, body: () => JSON.stringify({ items: items.map(({ object }) => object) }) };
}

function requested(verb: string, kind: ServedKind, { namespace, name }: Partial<Key>): RequestedAccess {
  return { verb, target: { kind: pathOf(kind), ...(namespace !== undefined && { namespace }), ...(name !== undefined && { name }) } };
}

/** Returns the path of a kind at the version that the schema shows. */
export function pathOf({ group, version, plural }: ServedKind): {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
} {
  return { group, version, plural };
}

/** Returns the value at a path below an object. */
export function valueAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined),
    object,
  );
}
