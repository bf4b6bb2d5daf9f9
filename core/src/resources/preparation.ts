import { change, type AdmissionOperation } from '@tappaas/sdk';
import type { Cause } from '../ports/engine.js';
import type { Admission, AdmissionRequest, Mutated, PluginClaim, TapChange } from '../ports/admission.js';
import { resourceErrors } from './errors.js';
import { findings } from './findings.js';
import type { KindEntry } from './kind-entry.js';
import { kernel } from './kinds/kernel-kinds.js';
import { applyDefaults } from './schema/defaulting.js';
import { equalJson, type JsonObject } from './schema/json-value.js';
import { validate } from './schema/validation.js';
import { keysOf, refuseManyKeys } from './object-keys.js';
import { metadataOf, withMetadata } from './object-metadata.js';
import { yieldTurn } from './yield-turn.js';
import { denied, invalid } from './refusal.js';
import { changesSpec } from './spec-change.js';
import type { Body, StoredObject } from './stored-object.js';
import type { WriteOptions } from './write-options.js';

/** Maximum number of claims of one object; a transaction has a similar limit. */
export const claimsMax = 256;

/** An object to be stored, in the stored version. */
export interface Candidate {
  readonly entry: KindEntry;
  readonly operation: Exclude<AdmissionOperation, 'delete' | 'metadata'>;
  readonly object: Body;
  readonly previous: StoredObject | undefined;
  readonly options: WriteOptions;
  /** Records field ownership. */
  readonly own: (object: Body, previous: StoredObject | undefined) => Body;
}

/** An object that has passed admission and validation. */
export interface Prepared {
  readonly object: Body;
  /** Undefined where taps were not called: existing claims stay. */
  readonly claims: readonly PluginClaim[] | undefined;
  readonly changes: readonly TapChange[];
}

/**
 * Applies defaults, mutating taps, schema, rules of the kind, validating taps and claims, in this order. When only labels or annotations
 * change, only taps registered for such changes are called, and a mutating one may change nothing else.
 *
 * @throws TAP_OBJECT_INVALID, TAP_OBJECT_DENIED, TAP_REQUEST_TOO_LARGE
 */
export async function prepare(engine: string, admission: Admission, candidate: Candidate): Promise<Prepared> {
  const { entry, previous } = candidate;
  const keys = keysOf(candidate.object);
  await candidate.options.weigh?.(keys);
  refuseManyKeys(entry, candidate.object, keys, previous?.object);
  const { object: filled, sound } = complete(entry, candidate.object, previous);
  await yieldTurn(keys);
  const completed = candidate.own(filled, previous);
  await yieldTurn(keys);
  const isWhole = needsTaps(entry, completed, previous);
  if (!isWhole && !(previous && changesMetadata(previous.object, completed))) {
    const object = counted(entry, completed, previous);
    refuseInvalid(entry, object, previous, sound);
    return { object, claims: undefined, changes: [] };
  }
  const request = { ...requestOf(engine, candidate, completed), ...(!isWhole && { operation: 'metadata' as const }) };
  const mutated = await admission.mutate(request);
  const { isProjectOnly } = mutated;
  const next = mutated.changes.length === 0 ? { object: completed, sound } : retaken(candidate, completed, mutated, isWhole);
  const object = counted(entry, next.object, previous);
  refuseInvalid(entry, object, previous, next.sound);
  await yieldTurn(keys);
  refuseDenied(entry, object, await admission.validate({ ...request, object, ...(isProjectOnly !== undefined && { isProjectOnly }) }));
  return { object, claims: claimsOf(entry, admission.claims({ ...request, object })), changes: mutated.changes };
}

/** Takes over the result of taps: as JSON, with the fields they must not change restored, and with its defaults. */
function retaken({ entry, previous }: Candidate, completed: Body, { object, changes }: Mutated, isWhole: boolean): Completed {
  const kept = asBefore(entry, completed, asJson(object, changes.map(({ plugin }) => plugin).join(', ')));
  return isWhole ? complete(entry, kept, previous) : { object: withMetadata(completed, { ...kept.metadata }), sound: undefined };
}

function claimsOf(entry: KindEntry, claims: readonly PluginClaim[]): readonly PluginClaim[] {
  if (claims.length <= claimsMax) return claims;
  const plugins = [...new Set(claims.map(({ plugin }) => plugin))].join(', ');
  const message = `${entry.plural}: an object may claim ${claimsMax} things, ${claims.length} were claimed by ${plugins}`;
  throw resourceErrors.TAP_OBJECT_CLAIMS_TOO_MUCH({ message });
}

/** @throws TAP_OBJECT_DENIED with every denial */
function refuseDenied(entry: KindEntry, object: Body, denials: readonly Cause[]): void {
  if (denials.length > 0) throw denied(entry, object, denials);
}

/** Labels and annotations have effects beyond the object, such as who may see it and which roles aggregate it. */
function changesMetadata({ metadata: before }: Body, { metadata: after }: Body): boolean {
  return !equalJson(before.labels ?? {}, after.labels ?? {}) || !equalJson(before.annotations ?? {}, after.annotations ?? {});
}

/**
 * Taps are called on create and when the spec changes, even for an object under deletion, because a role counts until it is gone. They are
 * not called for writes that only remove finalizers or set the status: these complete a deletion, which no plugin may block.
 */
function needsTaps(entry: KindEntry, object: JsonObject, previous: StoredObject | undefined): boolean {
  return previous === undefined || changesSpec(entry, previous.object, object);
}

/** An object with its defaults, and the state it was derived from if that passed schema validation. */
interface Completed {
  readonly object: Body;
  readonly sound: Body | undefined;
}

/** Fills in defaults; an unchanged spec stays as it is, even if its defaults have changed since. */
function complete(entry: KindEntry, written: Body, previous: StoredObject | undefined): Completed {
  const object = (entry.strategy.onWrite?.(written) ?? written) as Body;
  const defaulted = applyDefaults(entry.hub.type, object) as Body;
  if (previous && !changesSpec(entry, previous.object, object)) {
    return { object: defaulted['status'] === object['status'] ? object : { ...object, status: defaulted['status'] }, sound: undefined };
  }
  const misfits = validate(entry.hub.type, defaulted);
  // Kinds and taps have typed code, so they never receive a field whose type contradicts the schema.
  if (misfits.some(({ reason }) => reason === 'FieldValueTypeInvalid')) refuseInvalid(entry, defaulted, previous);
  const sound = misfits.length === 0 ? defaulted : undefined;
  if (entry.behaviour.default === undefined) return { object: defaulted, sound };
  const filled = fillIn(entry, defaulted, previous);
  return { object: filled === defaulted || entry.plugin === kernel ? filled : (asJson(filled, entry.plugin) as Body), sound };
}

/**
 * Lets a kind fill in defaults. If it fails on an invalid object, the author is at fault rather than the kind. @throws TAP_OBJECT_INVALID
 */
function fillIn(entry: KindEntry, object: Body, previous: StoredObject | undefined): Body {
  try {
    return change<Body>(object, (draft) => void entry.behaviour.default?.(draft, previous?.object));
  } catch (error) {
    if (validate(entry.hub.type, object).length > 0) refuseInvalid(entry, object, previous);
    throw error;
  }
}

/** Normalizes the output of a plugin to JSON, as it will be read later; code may add values that JSON cannot represent. */
function asJson(object: JsonObject, plugins: string): JsonObject {
  try {
    return JSON.parse(JSON.stringify(object)) as JsonObject;
  } catch (cause) {
    throw resourceErrors.TAP_OBJECT_NOT_JSON({ message: `what ${plugins} made of the object cannot be stored as JSON`, cause });
  }
}

/** Restores what a tap must not change: the identity of the object, and the finalizers of one under deletion. */
function asBefore(entry: KindEntry, before: Body, after: JsonObject): Body {
  const { labels, annotations, finalizers, ownerReferences } = metadataOf(after);
  const isEnding = before.metadata.deletionTimestamp !== undefined;
  const kept = isEnding ? before.metadata.finalizers : finalizers;
  const own = { ...before.metadata, labels, annotations, finalizers: kept, ownerReferences };
  const status = entry.hasStatus ? { status: before['status'] } : {};
  const object = { ...after, ...status, apiVersion: before.apiVersion, kind: before.kind };
  return withoutAbsent(withMetadata(object, withoutAbsent(own)));
}

const withoutAbsent = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

function counted(entry: KindEntry, object: Body, previous: StoredObject | undefined): Body {
  if (!entry.hasGeneration || previous === undefined || !changesSpec(entry, previous.object, object)) return object;
  const generation = (previous.object.metadata.generation ?? 0) + 1;
  return withMetadata(object, { ...object.metadata, generation });
}

function requestOf(engine: string, { entry, operation, previous, options }: Candidate, object: Body): AdmissionRequest {
  return {
    engine,
    group: entry.group,
    kind: entry.kind,
    isConfidential: entry.isConfidential,
    operation,
    caller: options.caller,
    dryRun: options.dryRun,
    object,
    ...(previous && { previous: previous.object }),
    requestId: options.requestId,
    signal: options.signal,
  };
}

/** @throws TAP_OBJECT_INVALID with every finding */
function refuseInvalid(entry: KindEntry, object: Body, previous: StoredObject | undefined, sound?: Body): void {
  const causes = findings(entry, object, previous, sound);
  if (causes.length > 0) throw invalid(entry, object, causes, previous?.object.metadata.uid);
}
