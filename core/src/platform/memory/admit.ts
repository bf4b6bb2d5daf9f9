import { randomUUID } from 'node:crypto';
import {
  administratorsGroup,
  type AnyKind,
  type Immutable,
  isTapError,
  type Key,
  type KubernetesObject,
  type Resources,
} from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import type { TapDenial } from '../../ports/admission.js';
import type { ResourceEngine } from '../../resources/engine.js';
import { resourceErrors } from '../../resources/errors.js';
import { apiVersionOf } from '../../resources/kind-entry.js';
import type { EngineObject } from '../engine-object.js';
import { pathOf } from '../kind-path.js';
import type { RecordingAdmission } from './recording-admission.js';

/** An object as written in a test: its key, and the fields of its kind besides metadata. */
export type DraftObject = Key & {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** The result of admitting an object, which is not stored. */
export interface Admitted {
  readonly denials: readonly TapDenial[];
  /** The object as it would be stored: with defaults and the changes of mutating taps. */
  readonly object: Immutable<EngineObject>;
}

export interface AdmitParts {
  readonly engine: ResourceEngine;
  readonly resources: Resources;
  readonly admission: RecordingAdmission;
  readonly signal: AbortSignal;
}

const caller = { name: 'test', groups: [administratorsGroup] };
const namespaces = kubernetesHandle<KubernetesObject>('', 'Namespace');

/** Passes an object through the whole write path as a dry run: as a creation, or as an update if it exists. */
export async function admit(parts: AdmitParts, kind: AnyKind, draft: DraftObject): Promise<Admitted> {
  const { engine, resources, admission, signal } = parts;
  const { name, namespace, labels, annotations, ...fields } = draft;
  const path = pathOf(engine, kind);
  const known = await resources.get(kind, keyOf(draft));
  if (namespace !== undefined) await ensureNamespace(resources, namespace);
  const metadata = { ...(known as EngineObject | undefined)?.metadata, name, ...(namespace === undefined ? {} : { namespace }) };
  const marks = { ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) };
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { ...metadata, ...marks }, ...fields };
  const body = new TextEncoder().encode(JSON.stringify(object));
  const target = { kind: path, ...(namespace === undefined ? {} : { namespace }) };
  const write = known
    ? ({ verb: 'update', target: { ...target, name }, body, mediaType: 'json' } as const)
    : ({ verb: 'create', target, body, mediaType: 'json' } as const);
  const requestId = `admit-${randomUUID()}`;
  const options = { caller, requestId, signal, dryRun: true, fieldValidation: 'Strict', fieldManager: 'test' } as const;
  const { answer, denials } = await admission.listen(requestId, () => engine.write(write, options));
  return { denials, object: answer.served.object as Immutable<EngineObject> };
}

/** The error of an object that may not be stored. */
export function deniedError({ kind }: AnyKind, name: string, denials: readonly TapDenial[]): Error {
  const reasons = denials.map(({ plugin = 'platform', field, message }) => `${field}: ${message} (${plugin})`);
  return resourceErrors.TAP_OBJECT_DENIED({ message: `${kind} ${name} is denied: ${reasons.join('; ')}` });
}

async function ensureNamespace(resources: Resources, name: string): Promise<void> {
  try {
    await resources.create(namespaces, { metadata: { name } });
  } catch (error) {
    if (!isTapError(error, 'TAP_OBJECT_EXISTS')) throw error;
  }
}

const keyOf = ({ name, namespace }: Key): Key => ({ name, ...(namespace === undefined ? {} : { namespace }) });
