import { TapError, type KubernetesObject } from '@tappaas/sdk';
import type { ApplyTarget } from '../../dist/reconcile/apply-set.js';
import { refKey, refOf, refText, type ObjectRef } from '../../dist/reconcile/object-ref.js';

type Json = Record<string, unknown>;

/** A cluster with server-side apply, field ownership, preconditions and a log of its writes. */
export class FakeCluster implements ApplyTarget {
  readonly writes: string[] = [];
  reads = 0;
  /** Called before each write; may throw in its place. */
  beforeWrite: (what: string) => void = () => {};
  /** Deleted objects stay, marked, until `finish`. */
  holdsDeletions = false;
  private readonly objects = new Map<string, KubernetesObject>();
  private revision = 0;
  private serial = 0;

  /** As somebody else makes an object. */
  put(object: KubernetesObject): KubernetesObject {
    const stored = structuredClone(object);
    stored.metadata.uid ??= `uid-${(this.serial += 1)}`;
    stored.metadata.resourceVersion = String((this.revision += 1));
    this.objects.set(refKey(refOf(object)), stored);
    return stored;
  }

  /** As somebody else changes it: every write moves its resourceVersion. */
  edit(ref: ObjectRef, edit: (object: Json & KubernetesObject) => void): void {
    const object = structuredClone(this.at(ref));
    if (object === undefined) throw new Error(`no ${refText(ref)}`);
    edit(object);
    this.put(object);
  }

  at(ref: ObjectRef): KubernetesObject | undefined {
    return this.objects.get(refKey(ref));
  }

  get names(): string[] {
    return [...this.objects.values()].map((object) => refText(refOf(object))).toSorted();
  }

  finish(): void {
    for (const [key, object] of this.objects) if (object.metadata.deletionTimestamp !== undefined) this.objects.delete(key);
  }

  async find(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    this.reads += 1;
    return structuredClone(this.at(ref));
  }

  async apply(object: KubernetesObject, { fieldManager, force }: { fieldManager: string; force: boolean }): Promise<KubernetesObject> {
    const ref = refOf(object);
    this.beforeWrite(`apply ${refText(ref)}`);
    const live = this.at(ref);
    const { uid, resourceVersion, ...metadata } = object.metadata;
    if (uid !== undefined && uid !== live?.metadata.uid) throw conflict('uid');
    if (resourceVersion !== undefined && resourceVersion !== live?.metadata.resourceVersion) throw conflict('resourceVersion');
    const mine = live?.metadata.managedFields?.find((entry) => entry.manager === fieldManager);
    if (live !== undefined && !force && mine === undefined) throw conflict('field');
    this.writes.push(`apply ${refText(ref)}`);
    const wanted = withDefaults({ ...object, metadata });
    const merged = mergeJson(dropOwned(live ?? {}, mine?.fieldsV1 ?? {}), wanted) as KubernetesObject;
    const others = (live?.metadata.managedFields ?? []).filter((entry) => entry.manager !== fieldManager);
    const fieldsV1 = fieldsOf({ ...object, metadata: { ...metadata, name: undefined, namespace: undefined } }, true);
    merged.metadata.managedFields = [...others, { manager: fieldManager, operation: 'Apply', fieldsV1 }];
    if (live) merged.metadata.uid = live.metadata.uid;
    return structuredClone(this.put(merged));
  }

  async delete(ref: ObjectRef, { uid }: { uid: string }): Promise<void> {
    this.beforeWrite(`delete ${refText(ref)}`);
    const live = this.at(ref);
    if (live === undefined) throw failure('TAP_OBJECT_NOT_FOUND', 404);
    if (live.metadata.uid !== uid) throw conflict('uid');
    this.writes.push(`delete ${refText(ref)}`);
    if (this.holdsDeletions) this.edit(ref, (object) => (object.metadata.deletionTimestamp = '2026-11-22T00:00:00Z'));
    else this.objects.delete(refKey(ref));
  }
}

function failure(code: string, httpStatus: number, message = code): TapError {
  return new TapError(code, { httpStatus, blame: 'upstream', retry: 'back-off', remedy: 'Wait.' }, { message });
}

export function conflict(what: string): TapError {
  return failure('TAP_OBJECT_CONFLICT', 409, `the ${what} is another`);
}

const listKeys = (item: unknown): Json | undefined => {
  const { name, containerPort, protocol = 'TCP' } = (item ?? {}) as Json;
  if (containerPort !== undefined) return { containerPort, protocol };
  return name === undefined ? undefined : { name };
};

/** Managed fields as structured-merge-diff writes them. */
function fieldsOf(value: unknown, isTop = false): Json {
  if (Array.isArray(value)) {
    const keyed = value.every((item) => listKeys(item) !== undefined);
    if (!keyed || value.length === 0) return {};
    return Object.fromEntries(value.map((item) => [`k:${JSON.stringify(listKeys(item))}`, { '.': {}, ...fieldsOf(item) }]));
  }
  if (typeof value !== 'object' || value === null) return {};
  const entries = Object.entries(value).filter(
    ([name, part]) => part !== undefined && !(isTop && (name === 'apiVersion' || name === 'kind')),
  );
  return Object.fromEntries(entries.map(([name, part]) => [`f:${name}`, fieldsOf(part)]));
}

function dropOwned(value: unknown, fields: Json): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const left: Json = {};
  for (const [name, part] of Object.entries(value)) {
    const below = fields[`f:${name}`] as Json | undefined;
    if (below === undefined) left[name] = part;
    else if (Object.keys(below).length > 0 && !Array.isArray(part)) left[name] = dropOwned(part, below);
  }
  return left;
}

function mergeJson(base: unknown, over: unknown): unknown {
  if (typeof over !== 'object' || over === null || Array.isArray(over)) return structuredClone(over);
  const merged: Json = { ...(base as Json) };
  for (const [name, part] of Object.entries(over)) merged[name] = mergeJson(merged[name] ?? {}, part);
  return merged;
}

/** What a server fills in: the protocol of a port, the replicas of a Deployment, quantities in their short form. */
function withDefaults(object: KubernetesObject): KubernetesObject {
  const copy = JSON.parse(JSON.stringify(object).replaceAll('"1024Mi"', '"1Gi"').replaceAll('"1000m"', '"1"')) as KubernetesObject;
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const fields = node as Json;
    if (fields['containerPort'] !== undefined) fields['protocol'] ??= 'TCP';
    for (const part of Object.values(fields)) visit(part);
  };
  visit(copy);
  if (copy.kind === 'Deployment') (copy['spec'] as Json)['progressDeadlineSeconds'] ??= 600;
  return copy;
}
