import { isTapError, type Condition, type Immutable, type Resources } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import { canonicalJson } from '../reconcile/canonical.js';
import type { EngineObject } from './engine-object.js';
import { operationStatus } from './operation-steps.js';

/** Keeps the Operation of an object's present generation; an older one that has not ended was superseded. */
export interface OperationTracker {
  /** Name of the operation of the present generation, made when there is none. */
  begin(object: Immutable<EngineObject>): Promise<string>;
  tell(object: Immutable<EngineObject>, conditions: readonly Condition[]): Promise<void>;
}

const operationsMax = 1_000;

export function createOperationTracker(resources: Resources, verb: string, nowMs: () => number): OperationTracker {
  const keyOf = ({ metadata }: Immutable<EngineObject>) => ({
    namespace: metadata.namespace ?? '',
    name: `${metadata.name.slice(0, 200)}-${verb}-${metadata.generation ?? 1}`,
  });
  const ensure = async (object: Immutable<EngineObject>): Promise<Immutable<OperationObject>> => {
    const key = keyOf(object);
    const known = await resources.get(Operation, key);
    if (known?.spec.target.uid === object.metadata.uid) return known;
    if (known) await resources.delete(Operation, key, { uid: known.metadata.uid });
    await supersede(resources, object, verb, nowMs);
    return create(resources, object, key, verb);
  };
  return {
    async begin(object) {
      return (await ensure(object)).metadata.name;
    },
    async tell(object, conditions) {
      const operation = await ensure(object);
      if (operation.status?.phase === 'Succeeded' || operation.status?.phase === 'Cancelled') return;
      const status = operationStatus(operation.status, conditions, nowMs());
      if (canonicalJson({ ...operation.status, ...status }) === canonicalJson(operation.status)) return;
      await resources.patch(Operation, keyOf(object), { status }, { subresource: 'status' });
    },
  };
}

async function create(
  resources: Resources,
  object: Immutable<EngineObject>,
  key: { namespace: string; name: string },
  verb: string,
): Promise<Immutable<OperationObject>> {
  const { name, uid, generation = 1 } = object.metadata;
  const { apiVersion, kind } = object;
  const target = { group: apiVersion.split('/').at(-2) ?? '', kind, name, uid, generation };
  const ownerReferences = [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: false }];
  try {
    return await resources.create(Operation, { metadata: { ...key, ownerReferences }, spec: { verb, target } });
  } catch (error) {
    const raced = isTapError(error, 'TAP_OBJECT_EXISTS') ? await resources.get(Operation, key) : undefined;
    if (!raced) throw error;
    return raced;
  }
}

async function supersede(resources: Resources, { metadata }: Immutable<EngineObject>, verb: string, nowMs: () => number): Promise<void> {
  const older = resources.list(Operation, {
    namespace: metadata.namespace ?? '',
    fields: `spec.target.uid=${metadata.uid}`,
    itemsMax: operationsMax,
  });
  for await (const { metadata: its, spec, status } of older) {
    if (spec.verb !== verb || status?.completionTime !== undefined || (spec.target.generation ?? 0) >= (metadata.generation ?? 1)) continue;
    const ended = {
      phase: 'Cancelled',
      completionTime: new Date(nowMs()).toISOString(),
      error: `superseded by generation ${metadata.generation ?? 1}`,
    };
    await resources.patch(Operation, { namespace: its.namespace, name: its.name }, { status: ended }, { subresource: 'status' });
  }
}
