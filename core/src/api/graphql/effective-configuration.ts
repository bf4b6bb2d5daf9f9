import { valueAt, type ObjectBody, type ObjectReader } from './object-reader.js';
import type { ExposedKind } from './schema/exposed-kinds.js';

/** An environment variable that a process starts with. */
export interface EffectiveValue {
  readonly process: string;
  readonly name: string;
  readonly value: string | undefined;
  readonly reference: { readonly kind: 'Secret' | 'ConfigMap'; readonly name: string; readonly key: string } | undefined;
  readonly source: 'PROCESS' | 'APPLICATION' | 'RENDERED';
}

interface Named {
  readonly name: string;
}

interface Variable extends Named {
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: Key; readonly configMapKeyRef?: Key };
}

interface Key extends Named {
  readonly key: string;
}

interface Container extends Named {
  readonly env?: readonly Variable[];
}

/** Paths of pod specs in rendered objects: in workloads and jobs, and in cron jobs. */
const podSpecs = [
  ['spec', 'template', 'spec'],
  ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
] as const;

/** Returns the environment of an application's processes in the release that serves. @throws TAP_REQUEST_FORBIDDEN */
export async function effectiveConfiguration(
  application: ObjectBody,
  releases: ExposedKind,
  process: string | undefined,
  reader: ObjectReader,
): Promise<readonly EffectiveValue[]> {
  const name = valueAt(application, ['status', 'release']);
  if (typeof name !== 'string') return [];
  const release = await reader.load(releases.served, { namespace: application.metadata.namespace ?? '', name });
  const objects = (valueAt(release, ['spec', 'objects']) ?? []) as readonly object[];
  return objects
    .flatMap((object) => podSpecs.flatMap((path) => (valueAt(object, [...path, 'containers']) ?? []) as readonly Container[]))
    .filter((container) => process === undefined || container.name === process)
    .flatMap((container) => (container.env ?? []).map((variable) => effective(application, container.name, variable)));
}

function effective(application: ObjectBody, process: string, { name, value, valueFrom }: Variable): EffectiveValue {
  return {
    process,
    name,
    value: valueFrom === undefined ? (value ?? '') : undefined,
    reference: referenceOf(valueFrom),
    source: sourceOf(application, process, name),
  };
}

function referenceOf({ secretKeyRef, configMapKeyRef }: NonNullable<Variable['valueFrom']> = {}): EffectiveValue['reference'] {
  if (secretKeyRef !== undefined) return { kind: 'Secret', name: secretKeyRef.name, key: secretKeyRef.key };
  return configMapKeyRef && { kind: 'ConfigMap', name: configMapKeyRef.name, key: configMapKeyRef.key };
}

function sourceOf(application: ObjectBody, process: string, variable: string): EffectiveValue['source'] {
  const processes = (valueAt(application, ['spec', 'processes']) ?? []) as readonly Container[];
  const isNamed = (env: readonly Named[] | undefined): boolean => env?.some(({ name }) => name === variable) === true;
  if (isNamed(processes.find(({ name }) => name === process)?.env)) return 'PROCESS';
  return isNamed(valueAt(application, ['spec', 'env']) as readonly Named[] | undefined) ? 'APPLICATION' : 'RENDERED';
}
