import type { PatchWrite } from '../ports/engine.js';
import { toHub } from './conversion.js';
import { create } from './creation.js';
import type { EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import { apply, withManagedFields, type Writer } from './field-ownership.js';
import { parseBody, takeObject } from './intake.js';
import { modify, refuseOtherName } from './modification.js';
import type { Mutated } from './mutation.js';
import { metadataOf } from './object-metadata.js';
import type { Found } from './registry.js';
import type { JsonObject } from './schema/json-value.js';
import type { Body } from './stored-object.js';
import { label, nameOf, namespaceOf } from './target.js';
import type { WriteOptions } from './write-options.js';

/** A server-side apply. */
export interface Applying {
  readonly found: Found;
  readonly write: PatchWrite;
  readonly options: WriteOptions;
}

/** How many attempts are made while others create or delete the object in between. */
const turnsMax = 8;

/** Applies a configuration to an existing object, or creates it. @throws TAP_OBJECT_CONFLICT naming the managers */
export async function applying(
  state: EngineState,
  { found, write, options }: Applying,
): Promise<{ applied: Mutated; warnings: readonly string[] }> {
  const { target } = write;
  if (target.subresource === 'scale') {
    throw resourceErrors.TAP_REQUEST_MEDIA_TYPE({
      message: `${found.entry.plural}/scale: use a merge patch; apply the object itself instead`,
    });
  }
  if (options.fieldManager === '')
    throw resourceErrors.TAP_REQUEST_INVALID({ message: 'fieldManager: expected a name, found none', field: 'fieldManager' });
  const { value, duplicates } = parseBody(write.body, 'yaml');
  const { object: configuration, warnings } = takeObject(value, duplicates, found.version, options.fieldValidation);
  refuseOtherName(target, configuration);
  const writer: Writer = { found, manager: options.fieldManager, subresource: target.subresource };
  const named = withIdentity(found, configuration, nameOf(target), found.entry.isNamespaced ? namespaceOf(target) : undefined);
  const request = { state, found, write, options, writer, configuration: named };
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const applied = (await toExisting(request)) ?? (await toNothing(request));
    if (applied) return { applied, warnings };
  }
  throw resourceErrors.TAP_REQUEST_CONTENDED({
    message: `${label(found.entry, nameOf(target))}: others kept creating and deleting it meanwhile`,
  });
}

interface Request extends Applying {
  readonly state: EngineState;
  readonly writer: Writer;
  readonly configuration: JsonObject;
}

async function toExisting({ state, found, write, options, writer, configuration }: Request): Promise<Mutated | undefined> {
  let tracked: Body | undefined;
  const change = (current: Body): JsonObject => (tracked = apply(state, writer, current, configuration, write.force));
  const own = (object: Body): Body => (tracked ? withManagedFields(object, tracked) : object);
  const modification = { found, target: write.target, options, change, own, needsVersion: false };
  return modify(state, modification).catch(unless('TAP_OBJECT_NOT_FOUND', write.target.subresource === undefined));
}

async function toNothing({ state, found, write, options, writer, configuration }: Request): Promise<Mutated | undefined> {
  await options.authorizeCreate?.();
  const tracked = apply(state, writer, undefined, configuration, write.force);
  const object = toHub(tracked, found.version, found.entry);
  const own = (created: Body): Body => withManagedFields(created, tracked);
  return create(state, { found, target: write.target, object, options, own }).catch(unless('TAP_OBJECT_EXISTS', true));
}

const unless =
  (code: string, isExpected: boolean) =>
  (error: unknown): undefined => {
    if (isExpected && (error as { readonly code?: string }).code === code) return undefined;
    throw error;
  };

function withIdentity(found: Found, configuration: JsonObject, name: string, namespace: string | undefined): JsonObject {
  const metadata = { ...metadataOf(configuration), name, ...(namespace !== undefined && { namespace }) };
  return { ...configuration, apiVersion: found.version.apiVersion, kind: found.entry.kind, metadata };
}
