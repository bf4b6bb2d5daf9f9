import type { Change } from '@tappaas/sdk';
import { Operation } from '@tappaas/sdk/kinds';
import type { Target } from '../ports/engine.js';
import type { EngineState } from './engine-state.js';
import type { KindEntry } from './kind-entry.js';
import { textOf } from './object-text.js';
import { objectKey } from './key-space.js';
import { isJsonObject } from './schema/json-value.js';
import { toStore, type Body } from './stored-object.js';

/** The Operation that a write begins, and the object that names it; both are written in one transaction. */
export interface BegunOperation {
  readonly object: Body;
  readonly change: Change;
}

const nameCharactersMax = 160;
const uidCharacters = 8;

/**
 * Begins the Operation of a kind that declares one, when an object is created or its spec changes. The name of the Operation is derived
 * from uid and generation, so it is unique to that object and state and can be found without further records.
 */
export function beginOperation(
  state: EngineState,
  entry: KindEntry,
  { object, previous, requestId }: { readonly object: Body; readonly previous: Body | undefined; readonly requestId: string },
): BegunOperation | undefined {
  const operations = state.registry().ofKind(Operation.group, Operation.kind);
  const { name, namespace, uid, generation = 1, deletionTimestamp } = object.metadata;
  const isBegun = generation !== previous?.metadata.generation && deletionTimestamp === undefined;
  if (entry.operation === undefined || operations === undefined || namespace === undefined || !isBegun) return undefined;
  const { verb } = entry.operation;
  const own = `${name.slice(0, nameCharactersMax)}-${verb}-${generation}-${uid.slice(0, uidCharacters)}`;
  const { apiVersion } = entry.hub;
  const { group, kind } = entry;
  const operation: Body = {
    apiVersion: operations.hub.apiVersion,
    kind: operations.kind,
    metadata: {
      name: own,
      namespace,
      uid: state.uuid(),
      generation: 1,
      creationTimestamp: `${new Date(state.clock.nowMs()).toISOString().slice(0, 19)}Z`,
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: false }],
    },
    spec: { verb, target: { group, kind, name, uid, generation }, requestId },
    status: { phase: 'Pending', percent: 0 },
  };
  const value = toStore(textOf(operation), { claims: [], attribution: [] });
  const status = isJsonObject(object['status']) ? object['status'] : {};
  return {
    object: { ...object, status: { ...status, operation: own } },
    change: { put: objectKey(operations.prefix, namespace, own), value },
  };
}

/** Returns the target of the Operation that an object names. */
export function operationOf(entry: KindEntry, { metadata, status }: Body): Target | undefined {
  const name = isJsonObject(status) ? status['operation'] : undefined;
  if (entry.operation === undefined || typeof name !== 'string' || metadata.namespace === undefined) return undefined;
  const { group, version } = Operation;
  return { kind: { group, version, plural: 'operations' }, namespace: metadata.namespace, name };
}
