import type { Guard } from '@tappaas/sdk';
import type { Target } from '../ports/engine.js';
import { caughtUp, type EngineState } from './engine-state.js';
import { explained, resourceErrors } from './errors.js';
import type { Record } from './idempotency.js';
import { objectKey } from './key-space.js';
import { mutate, type Mutated, type Mutation } from './mutation.js';
import { bornMetadata, metadataOf, withMetadata } from './object-metadata.js';
import type { Found } from './registry.js';
import { generatedName } from './schema/generated-name.js';
import type { JsonObject } from './schema/json-value.js';
import type { Body } from './stored-object.js';
import { label, namespaceOf } from './target.js';
import type { WriteOptions } from './write-options.js';

/** A create, decoded and in the stored version. */
export interface Creation {
  readonly found: Found;
  readonly target: Target;
  readonly object: JsonObject;
  readonly options: WriteOptions;
  readonly own: Mutation['own'];
  /** Record by which a repeated request is recognized. */
  readonly record?: Record;
}

/** Attempts to find a free name for `generateName`. */
const generatedNamesMax = 8;

/** Creates an object. @throws TAP_OBJECT_EXISTS, TAP_OBJECT_NOT_FOUND (its namespace), TAP_OBJECT_FORBIDDEN, and the errors of admission */
export async function create(state: EngineState, creation: Creation): Promise<Mutated> {
  const written = metadataOf(creation.object);
  if (typeof written['resourceVersion'] === 'string' && written['resourceVersion'] !== '') {
    const message = 'metadata.resourceVersion: should not be set on objects to be created';
    throw resourceErrors.TAP_REQUEST_INVALID({ message, field: 'metadata.resourceVersion' });
  }
  const generateName = typeof written['generateName'] === 'string' ? written['generateName'] : '';
  if (nameIn(creation, written) !== '' || generateName === '') return createNamed(state, creation, nameIn(creation, written));
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await createNamed(
        state,
        creation,
        generatedName(generateName, () => state.random()),
      );
    } catch (error) {
      if (attempt >= generatedNamesMax || !isTaken(error)) throw error;
    }
  }
}

const isTaken = (error: unknown): boolean => (error as { readonly code?: string }).code === 'TAP_OBJECT_EXISTS';

function nameIn({ target }: Creation, written: JsonObject): string {
  const name = typeof written['name'] === 'string' ? written['name'] : '';
  return name === '' ? (target.name ?? '') : name;
}

async function createNamed(state: EngineState, creation: Creation, name: string): Promise<Mutated> {
  const { found, target, options } = creation;
  const { entry } = found;
  const namespace = entry.isNamespaced ? namespaceOf(target) : undefined;
  const key = objectKey(entry.prefix, namespace, name);
  const { record } = creation;
  const guards = record?.guards ?? [];
  const object = bear(state, creation, name, namespace);
  return mutate(state, {
    found,
    key,
    name,
    operation: 'create',
    options,
    previous: options.dryRun ? (await caughtUp(state, entry, options.signal)).get(key)?.object : undefined,
    next: (previous) => {
      if (previous) throw exists(creation, name);
      return object;
    },
    own: creation.own,
    ...(record && { changes: record.changes }),
    guards: async () => [...guards, ...(await namespaceGuards(state, found, namespace, options.signal))],
    refused: async (guard) => {
      if (guard < guards.length) await record?.refused();
      else await catchUpNamespaces(state, options.signal);
    },
  });
}

function bear(state: EngineState, { found, object }: Creation, name: string, namespace: string | undefined): Body {
  const { entry } = found;
  const time = `${new Date(state.clock.nowMs()).toISOString().slice(0, 19)}Z`;
  const metadata = bornMetadata(metadataOf(object), { name, namespace, uid: state.uuid(), time }, entry.hasGeneration);
  const { status, ...rest } = object;
  const keepsStatus = !entry.hasStatus || entry.strategy.keepsStatusOnCreate === true;
  const born = withMetadata({ ...rest, ...(keepsStatus && status !== undefined && { status }) }, metadata);
  return (entry.strategy.onCreate?.(born) ?? born) as Body;
}

/** Reveals nothing about the existing object, because the caller may not be allowed to know about it. */
function exists({ found, options }: Creation, name: string): Error {
  const about = { group: found.entry.group, kind: found.entry.kind, name };
  const message = `${label(found.entry, name)} already exists`;
  if (options.ifNoneMatch) return explained(resourceErrors.TAP_OBJECT_PRECONDITION({ message }), about);
  return explained(resourceErrors.TAP_OBJECT_EXISTS({ message }), about);
}

/** Requires, within the creating transaction itself, that the namespace exists and is not terminating. */
async function namespaceGuards(
  state: EngineState,
  { entry }: Found,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<readonly Guard[]> {
  const namespaces = state.registry().ofKind('', 'Namespace');
  if (namespaces === undefined || namespace === undefined) return [];
  const key = objectKey(namespaces.prefix, undefined, namespace);
  // If the namespace has changed since, the guard fails and the next attempt reads it again.
  const stored = state.cache(namespaces).get(key)?.object ?? (await caughtUp(state, namespaces, signal)).get(key)?.object;
  const about = { group: '', kind: 'Namespace', name: namespace };
  if (stored === undefined) throw explained(resourceErrors.TAP_OBJECT_NOT_FOUND({ message: `namespaces "${namespace}" not found` }), about);
  if (stored.object.metadata.deletionTimestamp === undefined) return [{ key, modRevision: stored.revision }];
  const cause = { field: 'metadata.namespace', reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated` };
  const message = `${entry.plural}: unable to create new content in namespace ${namespace} because it is being terminated`;
  throw explained(resourceErrors.TAP_OBJECT_FORBIDDEN({ message }), about, [cause]);
}

async function catchUpNamespaces(state: EngineState, signal: AbortSignal): Promise<void> {
  const namespaces = state.registry().ofKind('', 'Namespace');
  if (namespaces) await caughtUp(state, namespaces, signal);
}
