import { randomUUID } from 'node:crypto';
import { definitionOf } from '@tappaas/sdk/definitions';
import {
  freezeDeep,
  objectErrors,
  type AnyKind,
  type EngineKind,
  type Immutable,
  type Key,
  type KubernetesObject,
  type Resources,
} from '@tappaas/sdk';

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly plural: string;
  readonly object: Immutable<KubernetesObject>;
  readonly revision: number;
}

interface Served {
  readonly kind: AnyKind;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly entry: EngineKind;
}

type Loose = KubernetesObject & { spec?: Record<string, unknown>; status?: Record<string, unknown> };

/**
 * A small substitute for the resource engine: objects, revisions, events, grace periods of pods, owner references; no admission, no field
 * conflicts.
 */
export class FakeStore {
  readonly #kinds = new Map<string, Served>();
  readonly #objects = new Map<string, Immutable<KubernetesObject>>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  readonly history: StoreEvent[] = [];
  revision = 1000;
  #uids = 0;

  constructor(kinds: readonly EngineKind[]) {
    for (const entry of kinds) {
      const declaration = definitionOf(entry.kind, 'kubernetesKind');
      if (!declaration) throw new Error(`no Kubernetes kind: ${entry.kind.kind}`);
      const served = { kind: entry.kind, plural: declaration.plural, namespaced: declaration.scope === 'Namespaced', entry };
      this.#kinds.set(`${entry.kind.group}/${entry.kind.kind}`, served);
      this.#kinds.set(`${entry.kind.group}//${declaration.plural}`, served);
    }
  }

  served(kind: AnyKind): Served {
    const found = this.#kinds.get(`${kind.group}/${kind.kind}`);
    if (!found) throw new Error(`kind ${kind.kind} is not served`);
    return found;
  }

  servedByPlural(group: string, plural: string): Served | undefined {
    return this.#kinds.get(`${group}//${plural}`);
  }

  listen(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  all<T = KubernetesObject>(kind: AnyKind): Immutable<T>[] {
    const prefix = `${this.served(kind).plural}/`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object as Immutable<T>);
  }

  get<T = KubernetesObject>(kind: AnyKind, key: Key): Immutable<T> | undefined {
    return this.#objects.get(this.#path(kind, key)) as Immutable<T> | undefined;
  }

  create(kind: AnyKind, input: object): Immutable<KubernetesObject> {
    const served = this.served(kind);
    const object = structuredClone(input) as Loose;
    object.apiVersion ??= kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
    object.kind ??= kind.kind;
    const { metadata } = object;
    metadata.name ??= `${metadata.generateName ?? ''}${(this.#uids + 1).toString(36)}`;
    const key = { namespace: metadata.namespace ?? '', name: metadata.name };
    if (this.#objects.has(this.#path(kind, key))) throw objectErrors.TAP_OBJECT_EXISTS({ message: `${kind.kind} ${metadata.name} exists` });
    this.#uids += 1;
    metadata.uid = randomUUID();
    metadata.generation = 1;
    metadata.creationTimestamp = new Date().toISOString();
    if (kind.kind !== 'Node') delete object.status;
    this.#prepare(served, object, undefined);
    return this.#put('ADDED', served, object);
  }

  patch(kind: AnyKind, key: Key, patch: object, subresource?: string): Immutable<KubernetesObject> {
    const served = this.served(kind);
    const previous = this.#require(kind, key);
    const wished = (patch as Loose).metadata ?? {};
    if (wished.uid !== undefined && wished.uid !== previous.metadata.uid)
      throw objectErrors.TAP_OBJECT_CONFLICT({ message: 'another uid' });
    if (wished.resourceVersion !== undefined && wished.resourceVersion !== previous.metadata.resourceVersion) {
      throw objectErrors.TAP_OBJECT_CONFLICT({ message: 'another resourceVersion' });
    }
    const merged = mergePatch(structuredClone(previous), patch) as Loose;
    const before = previous as Loose;
    const object: Loose =
      subresource === 'status'
        ? { ...structuredClone(before), status: merged.status }
        : { ...merged, status: structuredClone(before.status) };
    if (object.status === undefined) delete object.status;
    if (JSON.stringify(object.spec) !== JSON.stringify(before.spec)) object.metadata.generation = (before.metadata.generation ?? 0) + 1;
    object.metadata.resourceVersion = before.metadata.resourceVersion;
    if (subresource !== 'status') this.#prepare(served, object, previous);
    if (JSON.stringify(object) === JSON.stringify(previous)) return previous;
    return this.#put('MODIFIED', served, object);
  }

  delete(kind: AnyKind, key: Key, options: { uid?: string; graceSeconds?: number } = {}): void {
    const served = this.served(kind);
    const previous = this.#require(kind, key) as Immutable<Loose>;
    if (options.uid !== undefined && options.uid !== previous.metadata.uid)
      throw objectErrors.TAP_OBJECT_CONFLICT({ message: 'another uid' });
    const graceSeconds = graceOf(served, previous, options.graceSeconds);
    if (graceSeconds > 0) {
      if (previous.metadata.deletionTimestamp !== undefined) return;
      const object = structuredClone(previous) as Loose;
      object.metadata.deletionTimestamp = new Date(Date.now() + graceSeconds * 1000).toISOString();
      object.metadata.deletionGracePeriodSeconds = graceSeconds;
      this.#put('MODIFIED', served, object);
      return;
    }
    this.#objects.delete(this.#path(kind, key));
    this.#emit('DELETED', served, {
      ...structuredClone(previous),
      metadata: { ...structuredClone(previous.metadata), resourceVersion: String((this.revision += 1)) },
    });
    this.#collect(previous.metadata.uid ?? '');
  }

  /** The store as plugins access it. */
  resources(): Resources {
    return resourcesOf(this);
  }

  select(kind: AnyKind, namespace?: string, labels?: string, fields?: string): Immutable<KubernetesObject>[] {
    const wanted = (labels ?? '')
      .split(',')
      .filter((term) => term !== '')
      .map((term) => term.split('=') as [string, string]);
    const field = (fields ?? '').split('=') as [string, string?];
    return this.all(kind).filter(
      (object) =>
        (namespace === undefined || object.metadata.namespace === namespace) &&
        wanted.every(([name, value]) => object.metadata.labels?.[name] === value) &&
        (fields === undefined || fields === '' || fieldAt(object, field[0]) === field[1]),
    );
  }

  #prepare(served: Served, object: KubernetesObject, previous: Immutable<KubernetesObject> | undefined): void {
    const behaviour = served.entry.behaviour as
      | { default?: (a: object, b?: object) => void; check?: (a: object, b?: object) => readonly { field: string; message: string }[] }
      | undefined;
    behaviour?.default?.(object, previous);
    const denials = behaviour?.check?.(object, previous) ?? [];
    if (denials.length > 0)
      throw objectErrors.TAP_OBJECT_INVALID({ message: denials.map(({ field, message }) => `${field}: ${message}`).join('; ') });
  }

  #put(type: 'ADDED' | 'MODIFIED', served: Served, object: KubernetesObject): Immutable<KubernetesObject> {
    this.revision += 1;
    object.metadata.resourceVersion = String(this.revision);
    const frozen = freezeDeep(object);
    this.#objects.set(this.#path(served.kind, { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' }), frozen);
    this.#emit(type, served, frozen);
    return frozen;
  }

  #emit(type: StoreEvent['type'], served: Served, object: Immutable<KubernetesObject>): void {
    const event = { type, plural: served.plural, object, revision: this.revision };
    this.history.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  #collect(uid: string): void {
    for (const [path, object] of this.#objects) {
      if (!object.metadata.ownerReferences?.some((owner) => owner.uid === uid)) continue;
      const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : '';
      const served = this.servedByPlural(group ?? '', path.split('/')[0] ?? '');
      if (served) this.delete(served.kind, { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' });
    }
  }

  #require(kind: AnyKind, key: Key): Immutable<KubernetesObject> {
    const found = this.get(kind, key);
    if (!found) throw objectErrors.TAP_OBJECT_NOT_FOUND({ message: `${kind.kind} ${key.name} not found` });
    return found;
  }

  #path(kind: AnyKind, { namespace, name }: Key): string {
    const { plural, namespaced } = this.served(kind);
    return namespaced ? `${plural}/${namespace ?? ''}/${name}` : `${plural}/${name}`;
  }
}

function resourcesOf(store: FakeStore): Resources {
  return {
    get: async (kind, key) => store.get(kind, key) as never,
    async *list(kind, { namespace, labels, fields }) {
      for (const object of store.select(kind, namespace, labels, fields)) yield object as never;
    },
    create: async (kind, object) => store.create(kind, object) as never,
    apply: async () => {
      throw new Error('not served by the fake');
    },
    watch: () => {
      throw new Error('not served by the fake');
    },
    patch: async (kind, key, patch, options) => store.patch(kind, key, patch, options?.subresource) as never,
    delete: async (kind, key, preconditions) => store.delete(kind, key, preconditions?.uid === undefined ? {} : { uid: preconditions.uid }),
  };
}

function graceOf(served: Served, object: Immutable<Loose>, sent: number | undefined): number {
  if (served.plural !== 'pods' || !object.spec?.['nodeName']) return 0;
  const phase = object.status?.['phase'];
  if (phase === 'Succeeded' || phase === 'Failed') return 0;
  return sent ?? (object.spec['terminationGracePeriodSeconds'] as number | undefined) ?? 30;
}

const fieldAt = (object: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], object);

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged: Record<string, unknown> = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}
