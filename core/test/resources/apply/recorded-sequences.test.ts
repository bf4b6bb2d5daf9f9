import test from 'ava';
import { readFileSync } from 'node:fs';
import { freezeDeep } from '@tappaas/sdk';
import { kubernetesSchemas } from '@tappaas/sdk/kubernetes';
import { applyConfiguration, emptyObject, trackUpdate } from '../../../dist/resources/apply/field-manager.js';
import { applyStrategicMergePatch } from '../../../dist/resources/patch/strategic-merge-patch.js';
import { canonicalForm } from '../../../dist/resources/schema/canonical-form.js';
import { applyDefaults } from '../../../dist/resources/schema/defaulting.js';
import { fieldType } from '../../../dist/resources/schema/field-type.js';
import { isJsonObject, type JsonObject } from '../../../dist/resources/schema/json-value.js';

/*
 * Random sequences of updates, applies, status updates and strategic merge patches, with what kube-apiserver's own libraries (apimachinery
 * 0.36: managedfields, strategicpatch, on the typed objects of k8s.io/api) made of each step: the object and its managedFields, or the
 * error. Times are left out, and so are empty containers, which Go does not write.
 */
interface Step {
  readonly op: 'update' | 'apply' | 'smp';
  readonly manager: string;
  readonly subresource?: string;
  readonly force?: boolean;
  readonly object: JsonObject;
  readonly then: { readonly error?: string; readonly object?: JsonObject; readonly managedFields?: readonly unknown[] };
}
interface Sequence {
  readonly kind: 'Deployment' | 'Pod' | 'Service';
  readonly steps: readonly Step[];
}
const sequences: readonly Sequence[] = JSON.parse(readFileSync(new URL('recorded-sequences.json', import.meta.url), 'utf8'));
const schemaNames = { Deployment: 'apps.v1.Deployment', Pod: 'core.v1.Pod', Service: 'core.v1.Service' };

const withoutEmpty = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(([key, member]) => [key, withoutEmpty(member)] as const);
  return Object.fromEntries(
    members.filter(([, member]) => member !== null && !(typeof member === 'object' && Object.keys(member).length === 0)),
  );
};
const shown = (object: JsonObject) => {
  const { managedFields = [], ...metadata } = object['metadata'] as { managedFields?: readonly JsonObject[] };
  const entries = managedFields.map((entry) => Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'time')));
  return { object: withoutEmpty({ ...object, metadata }), managedFields: sorted(entries) };
};
const sorted = (entries: readonly unknown[]) => entries.toSorted((left, right) => (identity(left) < identity(right) ? -1 : 1));
const identity = (entry: unknown): string =>
  JSON.stringify(['operation', 'manager', 'subresource'].map((name) => (entry as JsonObject)[name]));

/** Carries out the steps as the engine does, and answers what each came to. */
function run({ kind, steps }: Sequence) {
  const schema = kubernetesSchemas[`io.k8s.api.${schemaNames[kind]}`] ?? {};
  const type = fieldType(schema, kubernetesSchemas);
  const apiVersion = kind === 'Deployment' ? 'apps/v1' : 'v1';
  const empty = emptyObject(type, { apiVersion, kind }, true);
  const stored = (object: JsonObject) => applyDefaults(type, canonicalForm(type, freezeDeep(object), { emptyIsAbsent: true }));
  let live: JsonObject | undefined;
  return steps.map((step, second) => {
    const ignored = step.subresource === undefined ? [['status']] : [['spec'], ['metadata']];
    const time = `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`;
    const request = {
      type,
      apiVersion,
      manager: step.manager,
      time,
      ignored,
      empty,
      ...(step.subresource === undefined ? {} : { subresource: step.subresource }),
    };
    let next: JsonObject;
    if (step.op === 'apply') {
      const result = applyConfiguration(live, freezeDeep(step.object), { ...request, force: step.force === true });
      if (result.outcome !== 'applied') return { error: result.outcome === 'conflict' ? result.message : result.findings.join() };
      next = stored(result.object);
    } else if (step.op === 'smp') next = trackUpdate(live, stored(applyStrategicMergePatch(type, live ?? {}, step.object)), request);
    else {
      const { managedFields: _, ...metadata } = ((step.subresource === undefined ? step.object : live)?.['metadata'] ?? {}) as JsonObject;
      const status = step.subresource === undefined ? live?.['status'] : step.object['status'];
      next = trackUpdate(
        live,
        stored({ ...live, apiVersion, kind, ...step.object, metadata, ...(status === undefined ? {} : { status }) }),
        request,
      );
    }
    live = freezeDeep({ ...next, metadata: { ...(next['metadata'] as object), uid: 'u' } });
    return shown(live);
  });
}

for (const [index, sequence] of sequences.entries()) {
  test(`sequence ${index} of ${sequence.kind} leaves what kube-apiserver leaves`, (t) => {
    const found = run(sequence);
    for (const [step, { then }] of sequence.steps.entries()) {
      const expected =
        then.error === undefined ? { object: then.object, managedFields: sorted(then.managedFields ?? []) } : { error: then.error };
      t.deepEqual(found[step] as unknown, expected, `step ${step}`);
    }
  });
}
