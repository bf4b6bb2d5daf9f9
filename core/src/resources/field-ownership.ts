import { applyConfiguration, emptyObject, trackUpdate, type FieldManagerRequest } from './apply/field-manager.js';
import type { VersionView } from './apply/ownership.js';
import { fromHub, toHub } from './conversion.js';
import type { EngineState } from './engine-state.js';
import { explained, resourceErrors } from './errors.js';
import type { KindVersionEntry } from './kind-entry.js';
import { withMetadata } from './object-metadata.js';
import type { Found } from './registry.js';
import type { JsonObject } from './schema/json-value.js';
import type { Body, StoredObject } from './stored-object.js';

/** The field manager of a request, and the part of the object it writes. */
export interface Writer {
  readonly found: Found;
  readonly manager: string;
  readonly subresource: string | undefined;
}

/** Makes the function that records which fields a create, update or patch changes. */
export function tracking(state: EngineState, writer: Writer): (object: Body, previous: StoredObject | undefined) => Body {
  const { version } = writer.found;
  return (object, previous) => {
    const live = previous && fromHub(previous.object, version);
    const tracked = trackUpdate(live, fromHub(object, version), requestOf(state, writer));
    return withManagedFields(object, tracked as Body);
  };
}

/** Returns `object` with the managed fields of `tracked`. */
export function withManagedFields(object: Body, tracked: Body): Body {
  const { managedFields: _, ...metadata } = object.metadata;
  const { managedFields } = tracked.metadata;
  return withMetadata(object, { ...metadata, ...(managedFields && { managedFields }) });
}

/** Performs a server-side apply in the version of the request. @throws TAP_OBJECT_CONFLICT naming the managers, TAP_REQUEST_INVALID */
export function apply(state: EngineState, writer: Writer, live: Body | undefined, configuration: JsonObject, force: boolean): Body {
  const { entry } = writer.found;
  const result = applyConfiguration(live, configuration, { ...requestOf(state, writer), force });
  if (result.outcome === 'applied') return result.object as Body;
  if (result.outcome === 'invalid') {
    throw resourceErrors.TAP_REQUEST_INVALID({ message: `the configuration cannot be applied: ${result.findings.join(', ')}` });
  }
  const about = { group: entry.group, kind: entry.kind, name: live?.metadata.name ?? '' };
  throw explained(resourceErrors.TAP_OBJECT_CONFLICT({ message: result.message }), about, result.causes);
}

function requestOf(state: EngineState, { found, manager, subresource }: Writer): FieldManagerRequest {
  const { entry, version } = found;
  const { type, apiVersion } = version;
  return {
    type,
    apiVersion,
    manager,
    ...(subresource !== undefined && subresource !== '' && { subresource }),
    time: `${new Date(state.clock.nowMs()).toISOString().slice(0, 19)}Z`,
    ignored: ignoredBy(found, subresource),
    view: (other) => viewOf(found, other),
    empty: emptyObject(type, { apiVersion, kind: entry.kind }, entry.isKubernetes),
  };
}

/** Paths that a write to this subresource cannot change. */
function ignoredBy({ entry, version }: Found, subresource: string | undefined): readonly (readonly string[])[] {
  if (subresource === 'status') return [...version.type.fields.keys()].filter((name) => name !== 'status').map((name) => [name]);
  return entry.hasStatus ? [['status']] : [];
}

function viewOf({ entry, version }: Found, apiVersion: string): VersionView | undefined {
  const other = [...entry.versions.values()].find((candidate) => candidate.apiVersion === apiVersion);
  if (other === undefined) return undefined;
  const turned = (object: JsonObject, from: KindVersionEntry, to: KindVersionEntry): JsonObject =>
    fromHub(toHub(object, from, entry) as Body, to);
  return {
    type: other.type,
    show: (object) => turned(object, version, other),
    restore: (object) => turned(object, other, version),
  };
}
