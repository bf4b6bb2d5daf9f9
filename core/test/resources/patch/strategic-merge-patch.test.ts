import test from 'ava';
import * as fc from 'fast-check';
import { freezeDeep, isTapError } from '@tappaas/sdk';
import { kubernetesSchemas } from '@tappaas/sdk/kubernetes';
import { applyStrategicMergePatch } from '../../../dist/resources/patch/strategic-merge-patch.js';
import type { JsonObject } from '../../../dist/resources/schema/json-value.js';
import { fieldType } from '../../../dist/resources/schema/field-type.js';

const type = (name: string) => fieldType(kubernetesSchemas[`io.k8s.api.${name}`] ?? {}, kubernetesSchemas);
const podSpec = type('core.v1.PodSpec');
const patched = (target: JsonObject, patch: object, of = podSpec) => applyStrategicMergePatch(of, freezeDeep(target), freezeDeep(patch));
const fault = (target: JsonObject, patch: object, of = podSpec): string | undefined => {
  try {
    patched(target, patch, of);
  } catch (error) {
    return isTapError(error, 'TAP_PATCH_INVALID') ? error.message : `unexpected ${String(error)}`;
  }
};

test('lists with a merge key are merged by it, the patch first', (t) => {
  const target = {
    containers: [
      { name: 'a', image: '1' },
      { name: 'b', image: '1', env: [{ name: 'X', value: 'x' }] },
    ],
  };
  t.deepEqual(
    patched(target, {
      containers: [
        { name: 'b', env: [{ name: 'Y', value: 'y' }] },
        { name: 'c', image: '2' },
      ],
    }),
    {
      containers: [
        { name: 'a', image: '1' },
        {
          name: 'b',
          image: '1',
          env: [
            { name: 'Y', value: 'y' },
            { name: 'X', value: 'x' },
          ],
        },
        { name: 'c', image: '2' },
      ],
    },
  );
});

test('lists without a merge key are replaced, maps are merged, null removes', (t) => {
  const target = { containers: [{ name: 'a', args: ['x', 'y'] }], nodeSelector: { disk: 'ssd', zone: '1' }, priority: 3 };
  t.deepEqual(patched(target, { containers: [{ name: 'a', args: ['z'] }], nodeSelector: { zone: null, rack: '2' }, priority: null }), {
    containers: [{ name: 'a', args: ['z'] }],
    nodeSelector: { disk: 'ssd', rack: '2' },
  });
});

test('$patch deletes and replaces items, lists and maps', (t) => {
  const target = { containers: [{ name: 'a' }, { name: 'b' }], securityContext: { runAsUser: 1, fsGroup: 2 } };
  t.deepEqual(patched(target, { containers: [{ $patch: 'delete', name: 'a' }] }), { ...target, containers: [{ name: 'b' }] });
  t.deepEqual(patched(target, { containers: [{ $patch: 'delete', name: 'nobody' }] }), target);
  t.deepEqual(patched(target, { containers: [{ $patch: 'replace' }, { name: 'c' }] }), { ...target, containers: [{ name: 'c' }] });
  t.deepEqual(patched(target, { securityContext: { $patch: 'replace', runAsUser: 5 } }), { ...target, securityContext: { runAsUser: 5 } });
  t.deepEqual(patched(target, { securityContext: { $patch: 'delete' } }), { ...target, securityContext: {} });
  t.deepEqual(patched({}, { securityContext: { $patch: 'delete', x: 1 } }), {});
});

test('$retainKeys clears what it does not name', (t) => {
  const deployment = type('apps.v1.DeploymentSpec');
  const target = { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } };
  t.deepEqual(patched(target, { strategy: { $retainKeys: ['type'], type: 'Recreate' } }, deployment), { strategy: { type: 'Recreate' } });
  t.regex(
    fault(target, { strategy: { $retainKeys: ['type'], rollingUpdate: { maxSurge: 2 } } }, deployment) ?? '',
    /rollingUpdate is set by the patch/,
  );
  const volumes = { volumes: [{ name: 'v', emptyDir: {} }] };
  t.deepEqual(patched(volumes, { volumes: [{ $retainKeys: ['name', 'hostPath'], name: 'v', hostPath: { path: '/' } }] }), {
    volumes: [{ name: 'v', hostPath: { path: '/' } }],
  });
});

test('$deleteFromPrimitiveList removes values, and a list of values merges without doubles', (t) => {
  const meta = fieldType(kubernetesSchemas['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'] ?? {}, kubernetesSchemas);
  const target = { finalizers: ['a', 'b', 'c'] };
  t.deepEqual(patched(target, { '$deleteFromPrimitiveList/finalizers': ['b', 'x'] }, meta), { finalizers: ['a', 'c'] });
  t.deepEqual(patched(target, { finalizers: ['d', 'a'], '$deleteFromPrimitiveList/finalizers': ['c'] }, meta), {
    finalizers: ['d', 'a', 'b'],
  });
  t.deepEqual(patched({}, { '$deleteFromPrimitiveList/finalizers': ['b'] }, meta), {});
});

test('$setElementOrder orders the merged list, with or without changes to it', (t) => {
  const order = (...names: string[]) => names.map((name) => ({ name }));
  const target = { containers: order('a', 'b', 'c') };
  t.deepEqual(patched(target, { '$setElementOrder/containers': order('c', 'a', 'b') }), { containers: order('c', 'a', 'b') });
  t.deepEqual(patched(target, { '$setElementOrder/containers': order('c', 'a'), containers: [{ name: 'a', image: 'x' }] }), {
    containers: [{ name: 'b' }, { name: 'c' }, { name: 'a', image: 'x' }],
  });
  t.deepEqual(patched({}, { '$setElementOrder/containers': order('b', 'a'), containers: order('b', 'a') }), {
    containers: order('b', 'a'),
  });
  t.deepEqual(patched({}, { '$setElementOrder/containers': order('b', 'a') }), {});
  t.deepEqual(patched(target, { '$setElementOrder/containers': order('c', 'b'), containers: [{ $patch: 'delete', name: 'a' }] }), {
    containers: order('c', 'b'),
  });
  t.regex(fault(target, { '$setElementOrder/containers': order('a', 'b'), containers: order('b', 'a') }) ?? '', /contradicts/);
});

test('a patch that makes no sense is refused with its reason', (t) => {
  t.regex(fault({ containers: [{ name: 'a' }] }, { containers: [{ image: 'x' }] }) ?? '', /has no name/);
  t.regex(fault({ containers: [{ name: 'a' }] }, { containers: [{ $patch: 'merge', name: 'a' }] }) ?? '', /replace or delete/);
  t.regex(fault({ securityContext: {} }, { securityContext: { $patch: 'spam' } }) ?? '', /replace or delete/);
  t.regex(fault({ containers: [{ name: 'a' }] }, { containers: ['a'] }) ?? '', /holds objects/);
  t.regex(fault({}, { '$setElementOrder/containers': {} }) ?? '', /must be a list/);
  t.regex(fault({ securityContext: {} }, { securityContext: { $retainKeys: 'x' } }) ?? '', /list of names/);
  t.is(fault({}, []), 'a strategic merge patch must be a JSON object');
});

test('directives never reach the object', (t) => {
  const result = patched(
    {},
    {
      containers: [
        {
          name: 'a',
          $retainKeys: ['name'],
          '$setElementOrder/env': [{ name: 'x' }],
          env: [{ name: 'x', value: null }],
          '$deleteFromPrimitiveList/args': ['x'],
        },
      ],
      affinity: { nodeAffinity: { $patch: 'delete' } },
    },
  );
  t.deepEqual(result, { containers: [{ name: 'a', env: [{ name: 'x' }] }], affinity: {} });
});

const name = fc.constantFrom('a', 'b', 'c', 'd');
const env = fc.uniqueArray(fc.record({ name, value: fc.constantFrom('1', '2') }), { selector: (item) => item.name, maxLength: 3 });
const containers = fc.uniqueArray(fc.record({ name, image: fc.constantFrom('x', 'y'), env }, { requiredKeys: ['name'] }), {
  selector: (item) => item.name,
  maxLength: 4,
});

/** The patch that client-side apply sends for a change of the containers. */
const clientPatch = (
  before: readonly Record<string, unknown>[],
  after: readonly Record<string, unknown>[],
  merge: (old: never, next: never) => object,
) => {
  const kept = after.map((item) => {
    const old = before.find((candidate) => candidate['name'] === item['name']);
    return old === undefined ? item : merge(old as never, item as never);
  });
  const removed = before
    .filter((item) => !after.some((candidate) => candidate['name'] === item['name']))
    .map((item) => ({ $patch: 'delete', name: item['name'] }));
  return { order: after.map((item) => ({ name: item['name'] })), list: [...kept, ...removed] };
};
type Container = { name: string; image?: string; env?: { name: string; value: string }[] };
const mergeContainer = (old: Container, next: Container) => {
  const patch = clientPatch(old.env ?? [], next.env ?? [], (_, item: object) => item);
  const hasEnv = old.env !== undefined && next.env !== undefined;
  return {
    name: next.name,
    image: next.image ?? null,
    ...(hasEnv ? { '$setElementOrder/env': patch.order, env: patch.list } : { env: next.env ?? null }),
  };
};

test('the patch that client-side apply makes of a difference gives the target, and again the same', (t) => {
  fc.assert(
    fc.property(containers, containers, (before, after) => {
      const { order, list } = clientPatch(before, after, mergeContainer);
      const patch = { '$setElementOrder/containers': order, containers: list };
      const result = patched({ containers: before }, patch);
      t.deepEqual(result, { containers: after });
      t.deepEqual(patched(result, patch), result);
    }),
  );
  t.pass();
});

test('merging long keyed lists takes time in proportion to them', (t) => {
  const items = (value: string) => Array.from({ length: 10_000 }, (_, index) => ({ name: `n${index}`, image: value }));
  const deletions = Array.from({ length: 5_000 }, (_, index) => ({ $patch: 'delete', name: `n${index}` }));
  const start = process.threadCpuUsage();
  const order = {
    '$setElementOrder/containers': items('x')
      .slice(5_000)
      .map(({ name }) => ({ name })),
  };
  const result = patched({ containers: items('x') }, { ...order, containers: [...items('y').slice(5_000), ...deletions] });
  t.is((result['containers'] as readonly unknown[]).length, 5_000);
  const used = process.threadCpuUsage(start);
  t.true(used.user + used.system < 3_000_000, `${used.user + used.system} µs`);
});

test('of items that share a key the first is meant', (t) => {
  t.deepEqual(
    patched(
      {
        containers: [
          { name: 'a', image: '1' },
          { name: 'a', image: '2' },
        ],
      },
      { containers: [{ name: 'a', image: '3' }] },
    ),
    {
      containers: [
        { name: 'a', image: '3' },
        { name: 'a', image: '2' },
      ],
    },
  );
});
