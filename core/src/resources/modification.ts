import type { CreateOrUpdate, PatchWrite, Target } from '../ports/engine.js';
import { fromHub, toHub } from './conversion.js';
import { caughtUp, newestKnown, type EngineState } from './engine-state.js';
import { explained, resourceErrors } from './errors.js';
import { parseBody, takeIn, takeObject } from './intake.js';
import { mutate, type Mutated, type Mutation } from './mutation.js';
import { metadataOf, refuseOtherState, updatedMetadata, withMetadata } from './object-metadata.js';
import { applyJsonPatch } from './patch/json-patch.js';
import { applyMergePatch } from './patch/merge-patch.js';
import { applyStrategicMergePatch } from './patch/strategic-merge-patch.js';
import { withPermittedOwners } from './owner-change.js';
import type { Found } from './registry.js';
import { asScale, scaleVersion, scaled } from './scale.js';
import type { JsonObject } from './schema/json-value.js';
import type { Body, StoredObject } from './stored-object.js';
import { keyOfTarget, label, nameOf, notFound } from './target.js';
import type { WriteOptions } from './write-options.js';

/** A change of an existing object. */
export interface Modification {
  readonly found: Found;
  readonly target: Target;
  readonly options: WriteOptions;
  /** Returns the requested object, in the version and the form of the subresource that the request uses. */
  readonly change: (current: Body) => JsonObject;
  /** Whether the request must name the version it changes; otherwise it is retried when another write was faster. */
  readonly needsVersion: boolean;
  readonly own: Mutation['own'];
}

/** Makes the change of a PUT. */
export function replacement(
  write: CreateOrUpdate,
  found: Found,
  options: WriteOptions,
): { change: Modification['change']; warnings: readonly string[] } {
  const version = write.target.subresource === 'scale' ? scaleVersion : found.version;
  const { object, warnings } = takeIn(write.body, write.mediaType, version, options.fieldValidation);
  refuseOtherName(write.target, object);
  return { change: () => object, warnings };
}

/** Makes the change of a PATCH. @throws TAP_PATCH_*, TAP_REQUEST_MEDIA_TYPE */
export function patching(
  write: PatchWrite,
  found: Found,
  options: WriteOptions,
): { change: Modification['change']; warnings: readonly string[] } {
  const version = write.target.subresource === 'scale' ? scaleVersion : found.version;
  if (write.patchType === 'strategic' && !found.entry.isKubernetes) {
    throw resourceErrors.TAP_REQUEST_MEDIA_TYPE({
      message: `${label(found.entry, nameOf(write.target))}: strategic merge patches are for Kubernetes' own kinds; use a merge or a JSON patch`,
    });
  }
  const { value, duplicates } = parseBody(write.body, 'json');
  const warnings: string[] = [];
  const patch = (current: Body): unknown => {
    if (write.patchType === 'json') return applyJsonPatch(current, value);
    return write.patchType === 'strategic' ? applyStrategicMergePatch(version.type, current, value) : applyMergePatch(current, value);
  };
  const change = (current: Body): JsonObject => {
    const taken = takeObject(patch(current), duplicates, version, options.fieldValidation, current);
    refuseOtherName(write.target, taken.object);
    warnings.splice(0, warnings.length, ...taken.warnings);
    return taken.object;
  };
  return { change, warnings };
}

/** Modifies an existing object. @throws TAP_OBJECT_NOT_FOUND, TAP_OBJECT_CONFLICT, TAP_OBJECT_PRECONDITION */
export async function modify(state: EngineState, modification: Modification): Promise<Mutated> {
  const { found, target, options } = modification;
  const key = keyOfTarget(found, target);
  const { entry } = found;
  const previous = newestKnown(state, entry, key) ?? (await caughtUp(state, entry, options.signal)).get(key)?.object;
  return mutate(state, {
    found,
    key,
    name: nameOf(target),
    operation: target.subresource === 'scale' ? 'scale' : 'update',
    options,
    previous,
    next: (current) => nextOf(state, modification, current),
    own: modification.own,
  });
}

function nextOf(state: EngineState, modification: Modification, previous: StoredObject | undefined): Body | Promise<Body> {
  const { found, target, options } = modification;
  if (previous === undefined) throw missing(modification);
  checkPreconditions(found, options, previous);
  if (target.subresource === 'scale') {
    const current = asScale(previous, found.entry, state.store.epoch).object;
    const scale = modification.change(current);
    refuseOtherState(found.entry, metadataOf(scale), previous);
    return scaled(previous.object, found.entry, scale);
  }
  const changed = modification.change(fromHub(previous.object, found.version));
  refuseOtherState(found.entry, metadataOf(changed), previous);
  refuseBlindUpdate(modification, changed);
  const next = merged(found, previous.object, toHub(changed, found.version, found.entry), target.subresource);
  return withPermittedOwners(previous.object, next, options);
}

/** Keeps the parts that a write to the object, or to its status alone, must not change. */
function merged({ entry }: Found, previous: Body, changed: JsonObject, subresource: string | undefined): Body {
  if (subresource === 'status') {
    const { status: _, ...rest } = previous;
    return { ...rest, ...(changed['status'] !== undefined && { status: changed['status'] }) };
  }
  const object = withMetadata(changed, updatedMetadata(previous.metadata, metadataOf(changed)));
  if (!entry.hasStatus) return object;
  const { status: _, ...rest } = object;
  return { ...rest, ...(previous['status'] !== undefined && { status: previous['status'] }) };
}

/** An update of one of our own kinds must state the version it replaces, as with custom resources in Kubernetes. */
function refuseBlindUpdate({ found, target, options, needsVersion }: Modification, changed: JsonObject): void {
  const { resourceVersion } = metadataOf(changed);
  const isBlind = resourceVersion === undefined || resourceVersion === '';
  if (!needsVersion || found.entry.isKubernetes || !isBlind || options.ifMatch !== undefined) return;
  const message = `${label(found.entry, nameOf(target))}: metadata.resourceVersion: must be specified for an update`;
  const cause = { field: 'metadata.resourceVersion', reason: 'FieldValueInvalid', message: 'must be specified for an update' };
  const about = { group: found.entry.group, kind: found.entry.kind, name: nameOf(target) };
  throw explained(resourceErrors.TAP_OBJECT_INVALID({ message, field: cause.field }), about, [cause]);
}

/** @throws TAP_OBJECT_PRECONDITION when `If-Match` or `If-None-Match` does not hold for the current state */
export function checkPreconditions({ entry }: Found, options: WriteOptions, previous: StoredObject): void {
  const { name } = previous.object.metadata;
  if (options.ifNoneMatch) throw resourceErrors.TAP_OBJECT_PRECONDITION({ message: `${label(entry, name)} already exists` });
  const { ifMatch } = options;
  if (ifMatch === undefined || ifMatch === previous.resourceVersion) return;
  throw resourceErrors.TAP_OBJECT_PRECONDITION({
    message: `${label(entry, name)}: expected resourceVersion ${ifMatch}, found ${previous.resourceVersion}`,
  });
}

function missing({ found, target, options }: Modification): Error {
  if (options.ifMatch === undefined && options.mustExist !== true) return notFound(found, nameOf(target));
  return resourceErrors.TAP_OBJECT_PRECONDITION({ message: `${label(found.entry, nameOf(target))} does not exist` });
}

/** @throws TAP_REQUEST_INVALID when the body names another object than the path */
export function refuseOtherName(target: Target, object: JsonObject): void {
  const { name, namespace } = metadataOf(object);
  const refuse = (field: string, found: unknown, expected: string): void => {
    if (found === undefined || found === '' || found === expected) return;
    throw resourceErrors.TAP_REQUEST_INVALID({
      message: `metadata.${field}: the path says "${expected}", the object says ${JSON.stringify(found)}`,
      field: `metadata.${field}`,
    });
  };
  if (target.name !== undefined) refuse('name', name, target.name);
  if (target.namespace !== undefined) refuse('namespace', namespace, target.namespace);
}
