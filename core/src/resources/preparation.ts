import { change, type AdmissionOperation } from '@tappaas/sdk';
import type { Admission, AdmissionRequest, PluginClaim, TapChange } from './admission-port.js';
import { concealValues } from './concealment.js';
import { explained, resourceErrors, type Cause } from './errors.js';
import type { KindEntry } from './kind-entry.js';
import { kernel } from './kinds/kernel-kinds.js';
import { causeText, forbidden } from './schema/cause.js';
import { applyDefaults } from './schema/defaulting.js';
import { immutableCauses } from './schema/immutable-fields.js';
import { equalJson, type JsonObject } from './schema/json-value.js';
import { metadataCauses, metadataUpdateCauses } from './schema/metadata-rules.js';
import { validate } from './schema/validation.js';
import { metadataOf, withMetadata } from './object-metadata.js';
import type { Body, StoredObject } from './stored-object.js';
import { label } from './target.js';
import type { WriteOptions } from './write-options.js';

/** Claims of one object; a transaction takes no more than some such number. */
export const claimsMax = 256;

/** An object on its way into the store, in the stored version. */
export interface Candidate {
  readonly entry: KindEntry;
  readonly operation: Exclude<AdmissionOperation, 'delete'>;
  readonly object: Body;
  readonly previous: StoredObject | undefined;
  readonly options: WriteOptions;
  /** Records who owns which field. */
  readonly own: (object: Body, previous: StoredObject | undefined) => Body;
}

/** A candidate that nobody objects to. */
export interface Prepared {
  readonly object: Body;
  /** Absent where taps were not asked: what is held stays held. */
  readonly claims: readonly PluginClaim[] | undefined;
  readonly changes: readonly TapChange[];
}

/** Defaults, mutating taps, schema, rules of the kind, validating taps and claims, in this order. @throws TAP_OBJECT_INVALID, TAP_OBJECT_DENIED */
export async function prepare(engine: string, admission: Admission, candidate: Candidate): Promise<Prepared> {
  const { entry, previous } = candidate;
  const completed = candidate.own(complete(entry, candidate.object, previous), previous);
  if (!asksTaps(entry, completed, previous)) {
    const object = counted(entry, completed, previous);
    refuseInvalid(entry, object, previous);
    return { object, claims: undefined, changes: [] };
  }
  const request = requestOf(engine, candidate, completed);
  const mutated = await admission.mutate(request);
  const changed =
    mutated.changes.length > 0 ? asJson(mutated.object, mutated.changes.map(({ plugin }) => plugin).join(', ')) : mutated.object;
  const object = counted(entry, complete(entry, asBefore(entry, completed, changed), previous), previous);
  refuseInvalid(entry, object, previous);
  const denials = await admission.validate({ ...request, object });
  if (denials.length > 0) throw denied(entry, object, denials);
  return { object, claims: claimsOf(entry, admission.claims({ ...request, object })), changes: mutated.changes };
}

function claimsOf(entry: KindEntry, claims: readonly PluginClaim[]): readonly PluginClaim[] {
  if (claims.length <= claimsMax) return claims;
  const plugins = [...new Set(claims.map(({ plugin }) => plugin))].join(', ');
  const message = `${entry.plural}: an object may claim ${claimsMax} things, ${claims.length} were claimed by ${plugins}`;
  throw resourceErrors.TAP_OBJECT_CLAIMS_TOO_MUCH({ message });
}

/** Taps are asked on create and when the spec changes; never about objects under deletion. */
function asksTaps(entry: KindEntry, object: JsonObject, previous: StoredObject | undefined): boolean {
  if (previous === undefined) return true;
  return previous.object.metadata.deletionTimestamp === undefined && changesSpec(entry, previous.object, object);
}

/** Says whether anything but metadata and status differs. */
export function changesSpec(entry: KindEntry, previous: JsonObject, next: JsonObject): boolean {
  const isSpec = (name: string): boolean => name !== 'metadata' && !(entry.hasStatus && name === 'status');
  const names = new Set([...Object.keys(previous), ...Object.keys(next)].filter(isSpec));
  return [...names].some((name) => !equalJson(previous[name], next[name]));
}

function complete(entry: KindEntry, object: Body, previous: StoredObject | undefined): Body {
  const defaulted = applyDefaults(entry.hub.type, object) as Body;
  const { behaviour } = entry;
  if (behaviour.default === undefined) return defaulted;
  const filled = change<Body>(defaulted, (draft) => void behaviour.default?.(draft as never, previous?.object as never));
  return filled === defaulted || entry.plugin === kernel ? filled : (asJson(filled, entry.plugin) as Body);
}

/** What a plugin made, as it will be read again: code may leave things in an object that JSON does not know. */
function asJson(object: JsonObject, plugins: string): JsonObject {
  try {
    return JSON.parse(JSON.stringify(object)) as JsonObject;
  } catch (cause) {
    throw resourceErrors.TAP_OBJECT_NOT_JSON({ message: `what ${plugins} made of the object cannot be stored as JSON`, cause });
  }
}

/** A tap may not make another object of the one it was shown. */
function asBefore(entry: KindEntry, before: Body, after: JsonObject): Body {
  const metadata = metadataOf(after);
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  const own = { ...before.metadata, labels, annotations, finalizers, ownerReferences };
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
function refuseInvalid(entry: KindEntry, object: Body, previous: StoredObject | undefined): void {
  const found = findings(entry, object, previous);
  if (found.length === 0) return;
  const causes = entry.isConfidential ? concealValues(found, object) : found;
  const { name, uid } = object.metadata;
  const about = { group: entry.group, kind: entry.kind, name, ...(previous && { uid }) };
  const message = `${entry.kind}${entry.group === '' ? '' : `.${entry.group}`} "${name}" is invalid: ${listed(causes)}`;
  const [first] = causes;
  throw explained(resourceErrors.TAP_OBJECT_INVALID({ message, ...(first && { field: first.field }) }), about, causes);
}

/** What has not changed is not looked at again, so that an object stored under an older schema can still be finished and reported on. */
function findings(entry: KindEntry, object: Body, previous: StoredObject | undefined): readonly Cause[] {
  const names = entry.strategy.names ?? 'subdomain';
  const metadata = object.metadata as unknown as JsonObject;
  const causes: Cause[] = [...metadataCauses(metadata, { scope: entry.isNamespaced ? 'Namespaced' : 'Cluster', names })];
  if (previous) {
    causes.push(...metadataUpdateCauses(previous.object.metadata as unknown as JsonObject, metadata));
    causes.push(...lateFinalizers(previous.object, object));
  }
  const hasNewSpec = previous === undefined || changesSpec(entry, previous.object, object);
  if (hasNewSpec) {
    causes.push(...validate(entry.hub.type, object).filter(({ field }) => !isMetadataRule(field, causes)));
    if (previous) causes.push(...immutableCauses(entry.immutable, previous.object, object));
    if (causes.length === 0) causes.push(...(entry.behaviour.check?.(object as never, previous?.object as never) ?? []));
  } else if (!equalJson(previous.object['status'], object['status'])) {
    causes.push(...validate(entry.hub.type, object).filter(({ field }) => field.startsWith('status')));
  }
  return causes;
}

/** What is being deleted may lose finalizers, never gain any: nobody could rely on its end otherwise. */
function lateFinalizers(previous: Body, object: Body): readonly Cause[] {
  if (previous.metadata.deletionTimestamp === undefined) return [];
  const known = new Set(previous.metadata.finalizers);
  const added = (object.metadata.finalizers ?? []).filter((name) => !known.has(name));
  if (added.length === 0) return [];
  return [forbidden('metadata.finalizers', `no new finalizers can be added if the object is being deleted, found ${added.join(', ')}`)];
}

/** The schema and the rules of metadata may find the same fault; it is told once. */
const isMetadataRule = (field: string, known: readonly Cause[]): boolean =>
  field.startsWith('metadata') && known.some((cause) => cause.field === field);

/** Every denial in one error. */
export function denied(entry: KindEntry, object: Body, causes: readonly Cause[]): Error {
  const { name } = object.metadata;
  const message = `${label(entry, name)} is denied: ${listed(causes.map((cause) => ({ ...cause, message: `${cause.message}${by(cause)}` })))}`;
  const about = { group: entry.group, kind: entry.kind, name };
  return explained(resourceErrors.TAP_OBJECT_DENIED({ message }), about, causes);
}

const by = ({ plugin }: Cause): string => (plugin === undefined ? '' : ` (${plugin})`);

function listed(causes: readonly Cause[]): string {
  const texts = causes.map((cause) => causeText(cause as never));
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}
