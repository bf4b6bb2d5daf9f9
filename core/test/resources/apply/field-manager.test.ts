import test from 'ava';
import { freezeDeep } from '@tappaas/sdk';
import { kubernetesSchemas } from '@tappaas/sdk/kubernetes';
import { applyConfiguration, emptyObject, ignoringTimes, trackUpdate } from '../../../dist/resources/apply/field-manager.js';
import { updatersMax } from '../../../dist/resources/apply/updater-cap.js';
import { fieldType } from '../../../dist/resources/schema/field-type.js';
import { valueAt, type JsonObject } from '../../../dist/resources/schema/json-value.js';

const type = fieldType(kubernetesSchemas['io.k8s.api.apps.v1.Deployment'] ?? {}, kubernetesSchemas);
const identity = { apiVersion: 'apps/v1', kind: 'Deployment' };
const empty = emptyObject(type, identity, true);
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString().replace('.000', '');
const request = (manager: string, second = 0) => ({ type, apiVersion: 'apps/v1', manager, time: at(second), ignored: [['status']], empty });

const deployment = (spec: object, metadata: object = {}): JsonObject =>
  freezeDeep({ ...identity, metadata: { name: 'web', namespace: 'shop', uid: 'u', ...metadata }, spec, status: {} });
const web = (container: object = {}) => ({
  replicas: 1,
  selector: { matchLabels: { app: 'web' } },
  template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'a', ...container }] } },
});

const managedFields = (object: JsonObject) =>
  (object['metadata'] as { managedFields?: readonly Record<string, unknown>[] }).managedFields ?? [];
const owners = (object: JsonObject) =>
  Object.fromEntries(
    managedFields(object).map((entry) => [`${String(entry['manager'])} ${String(entry['operation'])}`, entry['fieldsV1']]),
  );
const create = (object: JsonObject, manager = 'kubectl-create') => trackUpdate(undefined, object, request(manager));
const apply = (
  live: JsonObject | undefined,
  configuration: object,
  manager = 'applier',
  options: { force?: boolean; second?: number } = {},
) => {
  const configured = freezeDeep({ ...identity, metadata: { name: 'web', namespace: 'shop' }, ...configuration });
  return applyConfiguration(live, configured, { ...request(manager, options.second), force: options.force ?? false });
};
const applied = (...parameters: Parameters<typeof apply>): JsonObject => {
  const result = apply(...parameters);
  if (result.outcome !== 'applied') throw new Error(JSON.stringify(result));
  return result.object;
};
const spec = (object: JsonObject) => (object['spec'] ?? {}) as Record<string, unknown>;

test('a creator owns what it set, written as kube-apiserver writes it', (t) => {
  const object = create(
    deployment(
      { ...web({ ports: [{ containerPort: 80, protocol: 'TCP' }], resources: {} }), strategy: { rollingUpdate: { maxSurge: 1 } } },
      { labels: { app: 'web' } },
    ),
  );
  t.deepEqual(managedFields(object), [
    {
      manager: 'kubectl-create',
      operation: 'Update',
      apiVersion: 'apps/v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:replicas': {},
          'f:selector': {},
          'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} } },
          'f:template': {
            'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
            'f:spec': {
              'f:containers': {
                'k:{"name":"web"}': {
                  '.': {},
                  'f:image': {},
                  'f:name': {},
                  'f:ports': { '.': {}, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} } },
                  'f:resources': {},
                },
              },
            },
          },
        },
      },
    },
  ]);
});

test('an applier owns its leaves and items, not the containers around them', (t) => {
  const object = applied(undefined, {
    metadata: { name: 'web', labels: { a: 'b' } },
    spec: { template: { spec: { containers: [{ name: 'web', env: [{ name: 'X', value: '1' }] }] } } },
  });
  t.deepEqual(owners(object)['applier Apply'], {
    'f:metadata': { 'f:labels': { 'f:a': {} } },
    'f:spec': {
      'f:template': {
        'f:spec': {
          'f:containers': {
            'k:{"name":"web"}': { '.': {}, 'f:env': { 'k:{"name":"X"}': { '.': {}, 'f:name': {}, 'f:value': {} } }, 'f:name': {} },
          },
        },
      },
    },
  });
});

test('a key that is left out is found by its default', (t) => {
  const live = create(deployment(web({ ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }] })));
  const result = applied(live, {
    spec: { template: { spec: { containers: [{ name: 'web', ports: [{ containerPort: 80, hostPort: 8080 }] }] } } },
  });
  const [container] = (spec(result)['template'] as { spec: { containers: readonly { ports: unknown }[] } }).spec.containers;
  t.deepEqual(container?.ports, [{ containerPort: 80, protocol: 'TCP', name: 'http', hostPort: 8080 }]);
});

test('one conflict is told in one line, several by manager', (t) => {
  const live = create(deployment(web()), 'kubectl');
  t.deepEqual(apply(live, { spec: { replicas: 3 } }), {
    outcome: 'conflict',
    message: 'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas',
    causes: [{ reason: 'FieldManagerConflict', field: '.spec.replicas', message: 'conflict with "kubectl" using apps/v1' }],
  });
  const both = applied(live, { spec: { paused: true } }, 'other');
  const result = apply(both, { spec: { replicas: 3, paused: false, template: { spec: { containers: [{ name: 'web', image: 'b' }] } } } });
  t.is(
    result.outcome === 'conflict' && result.message,
    [
      'Apply failed with 3 conflicts: conflicts with "kubectl" using apps/v1:',
      '- .spec.replicas',
      '- .spec.template.spec.containers[name="web"].image',
      'conflicts with "other":',
      '- .spec.paused',
    ].join('\n'),
  );
});

test('a conflict with a subresource names it', (t) => {
  const live = trackUpdate(create(deployment(web())), deployment({ ...web(), replicas: 5 }), {
    ...request('autoscaler'),
    subresource: 'scale',
  });
  const result = apply(live, { spec: { replicas: 3 } });
  t.is(
    result.outcome === 'conflict' && result.message,
    'Apply failed with 1 conflict: conflict with "autoscaler" with subresource "scale" using apps/v1: .spec.replicas',
  );
});

test('force takes the field over, the loser keeps the rest', (t) => {
  const live = applied(undefined, { spec: { replicas: 1, paused: true } }, 'first');
  const object = applied(live, { spec: { replicas: 2 } }, 'second', { force: true });
  t.is(spec(object)['replicas'], 2);
  t.deepEqual(owners(object), { 'first Apply': { 'f:spec': { 'f:paused': {} } }, 'second Apply': { 'f:spec': { 'f:replicas': {} } } });
});

test('the same value is shared, and goes only when its last owner lets go', (t) => {
  const one = applied(undefined, { spec: { replicas: 2, paused: true } }, 'one');
  const both = applied(one, { spec: { replicas: 2 } }, 'two');
  t.deepEqual(Object.keys(owners(both)), ['one Apply', 'two Apply']);
  const left = applied(both, { spec: {} }, 'one');
  t.deepEqual(spec(left), { replicas: 2 });
  t.deepEqual(owners(left), { 'one Apply': { 'f:spec': {} }, 'two Apply': { 'f:spec': { 'f:replicas': {} } } });
  t.deepEqual(spec(applied(left, { spec: { minReadySeconds: 1 } }, 'two')), { minReadySeconds: 1 });
});

test('a field that an updater owns is not removed when an applier releases it', (t) => {
  const live = create(deployment(web()), 'creator');
  const shared = applied(live, { spec: { replicas: 1 } });
  t.is(spec(applied(shared, { spec: { paused: true } }))['replicas'], 1);
});

test('an item of a keyed list goes with its last owner, others stay and keep their order', (t) => {
  const containers = (...names: string[]) => ({ spec: { template: { spec: { containers: names.map((name) => ({ name })) } } } });
  const names = (object: JsonObject) =>
    (spec(object)['template'] as { spec: { containers: readonly { name: string }[] } }).spec.containers.map((item) => item.name);
  const one = applied(undefined, containers('a', 'b', 'c'), 'one');
  const two = applied(one, containers('d', 'b'), 'two');
  t.deepEqual(names(two), ['a', 'd', 'b', 'c']);
  t.deepEqual(names(applied(two, containers('c'), 'one')), ['d', 'b', 'c']);
  t.deepEqual(names(applied(applied(two, containers('c'), 'one'), containers('c', 'd'), 'two')), ['c', 'd']);
});

test('an atomic map or list has one owner and is replaced whole', (t) => {
  const live = applied(
    undefined,
    { spec: { selector: { matchLabels: { a: '1', b: '2' } }, template: { spec: { containers: [{ name: 'web', args: ['x', 'y'] }] } } } },
    'one',
  );
  const result = apply(live, { spec: { selector: { matchLabels: { a: '1' } } } }, 'two');
  t.is(result.outcome === 'conflict' && result.message, 'Apply failed with 1 conflict: conflict with "one": .spec.selector');
  const forced = applied(live, { spec: { selector: { matchLabels: { a: '1' } } } }, 'two', { force: true });
  t.deepEqual(spec(forced)['selector'], { matchLabels: { a: '1' } });
});

test('an update takes fields over without asking and loses what it removes', (t) => {
  const live = applied(undefined, { spec: { replicas: 1, paused: true, minReadySeconds: 5 } }, 'applier');
  const object = trackUpdate(live, deployment({ replicas: 9, minReadySeconds: 5 }), request('editor', 9));
  t.deepEqual(owners(object), {
    'applier Apply': { 'f:spec': { 'f:minReadySeconds': {} } },
    'editor Update': { 'f:spec': { 'f:replicas': {} } },
  });
  t.is(managedFields(object)[1]?.['time'], at(9));
  const again = trackUpdate(object, deployment({ replicas: 9, minReadySeconds: 6 }), request('editor', 10));
  t.deepEqual(owners(again), { 'editor Update': { 'f:spec': { 'f:minReadySeconds': {}, 'f:replicas': {} } } });
});

test("status is nobody's on the main resource, and its own entry on the subresource", (t) => {
  const live = create(deployment(web()));
  const changed = freezeDeep({ ...live, status: { replicas: 3 }, metadata: { ...(live['metadata'] as object) } });
  t.deepEqual(managedFields(trackUpdate(live, changed, request('controller'))), managedFields(live));
  const status = trackUpdate(live, changed, { ...request('controller', 4), subresource: 'status', ignored: [['spec'], ['metadata']] });
  t.deepEqual(managedFields(status)[1], {
    manager: 'controller',
    operation: 'Update',
    apiVersion: 'apps/v1',
    time: at(4),
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:status': { 'f:replicas': {} } },
    subresource: 'status',
  });
});

test('the annotation of client-side apply makes the same person no conflict', (t) => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const lastApplied = JSON.stringify({ ...identity, metadata: { name: 'web', namespace: 'shop', annotations: {} }, spec: web() });
  const live = create(deployment(web(), { annotations: { [annotation]: lastApplied, other: 'x' } }), 'kubectl-client-side-apply');
  const next = { spec: { ...web(), replicas: 4 } };
  t.is(apply(live, next, 'flux').outcome, 'conflict', 'only kubectl means the same person');
  const object = applied(live, next, 'kubectl');
  const annotations = (object['metadata'] as { annotations: Record<string, string> }).annotations;
  t.deepEqual(JSON.parse(annotations[annotation] ?? ''), { ...identity, metadata: { name: 'web', namespace: 'shop' }, ...next });
  t.true(annotations[annotation]?.endsWith('\n'));
  t.deepEqual(owners(object)['kubectl Apply'] === undefined, false);
  const drifted = trackUpdate(
    live,
    deployment({ ...web(), replicas: 7 }, { annotations: { [annotation]: lastApplied } }),
    request('scaler'),
  );
  const result = apply(drifted, next, 'kubectl');
  t.is(
    result.outcome === 'conflict' && result.message,
    'Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas',
  );
});

test('an object without managed fields gets an owner before its first apply, and none before', (t) => {
  const live = deployment(web());
  t.deepEqual(managedFields(trackUpdate(live, deployment({ ...web(), replicas: 2 }), request('editor'))), []);
  const result = apply(live, { spec: { replicas: 3 } });
  t.is(
    result.outcome === 'conflict' && result.message,
    'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas',
  );
  t.deepEqual(Object.keys(owners(applied(live, { spec: { paused: true } }))), ['applier Apply', 'before-first-apply Update']);
});

test('managed fields can be reset, not lost by a client that does not know them, and not forged through a subresource', (t) => {
  const live = create(deployment(web()));
  t.deepEqual(managedFields(trackUpdate(live, deployment(web(), { managedFields: [{}] }), request('x'))), []);
  t.deepEqual(managedFields(trackUpdate(live, deployment(web(), { managedFields: [] }), request('x'))), managedFields(live));
  t.deepEqual(
    managedFields(trackUpdate(live, deployment(web(), { managedFields: [{ manager: 'm', operation: 'Spam' }] }), request('x'))),
    managedFields(live),
  );
  const forged = [
    { manager: 'm', operation: 'Apply', apiVersion: 'apps/v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
  ];
  t.deepEqual(Object.keys(owners(trackUpdate(live, deployment(web(), { managedFields: forged }), request('x')))), ['m Apply']);
  t.deepEqual(
    managedFields(trackUpdate(live, deployment(web(), { managedFields: forged }), { ...request('x'), subresource: 'status' })),
    managedFields(live),
  );
});

test('a refused apply names the field', (t) => {
  const findings = (configuration: object) => {
    const result = apply(undefined, configuration);
    return result.outcome === 'invalid' ? result.findings : result.outcome;
  };
  t.deepEqual(findings({ spec: { replica: 1 } }), ['.spec.replica: field not declared in schema']);
  t.deepEqual(findings({ spec: { replicas: [1] } }), ['.spec.replicas: expected scalar, got list']);
  const containers = [{ name: 'a' }, { name: 'a' }, { image: 'x' }];
  t.deepEqual(findings({ spec: { template: { spec: { containers } } } }), [
    '.spec.template.spec.containers: duplicate entries for key [name="a"]',
    '.spec.template.spec.containers: element 2: associative list with keys has an element that omits a key field of name',
  ]);
  t.deepEqual(findings({ metadata: { name: 'web', managedFields: [] } }), ['.metadata.managedFields: must be left out of what is applied']);
  t.deepEqual(findings({ apiVersion: 'apps/v2' }), ['.apiVersion: expected apps/v1, got "apps/v2"']);
  const broken = deployment(web(), { managedFields: [{ manager: 'm', operation: 'Spam' }] });
  t.is(apply(broken, { spec: {} }).outcome, 'invalid');
});

test('the oldest updaters share an entry beyond the limit, appliers never', (t) => {
  let object = applied(create(deployment(web()), 'creator'), { spec: { paused: true } });
  for (let index = 1; index <= 30; index++) {
    const { managedFields: _, ...metadata } = object['metadata'] as Record<string, unknown>;
    const labels = { ...(metadata['labels'] as object), [`l${index}`]: 'x' };
    object = trackUpdate(object, freezeDeep({ ...object, metadata: { ...metadata, labels } }), request(`updater-${index}`, index));
  }
  const entries = managedFields(object);
  t.is(entries.filter((entry) => entry['operation'] === 'Update').length, updatersMax);
  t.is(entries[0]?.['manager'], 'applier');
  const bucket = entries.find((entry) => entry['manager'] === 'ancient-changes');
  t.is(bucket?.['time'], at(21), 'of the youngest change in it');
  const labels = valueAt(bucket, ['fieldsV1', 'f:metadata', 'f:labels']);
  t.is(Object.keys(labels ?? {}).length, 22, 'the container and 21 labels');
});

test('applying the same again changes nothing, not even a time', (t) => {
  const configuration = { spec: { replicas: 2, template: { spec: { containers: [{ name: 'web', image: 'x' }] } } } };
  const first = applied(undefined, configuration, 'applier', { second: 1 });
  const again = apply(first, configuration, 'applier', { second: 50 });
  t.deepEqual(again, { outcome: 'applied', object: first, isUnchanged: true });
});

test('a write that changes times only is no write', (t) => {
  const live = create(deployment(web()));
  const later = trackUpdate(
    live,
    deployment(web(), { managedFields: managedFields(live).map((entry) => ({ ...entry, time: at(30) })) }),
    request('x'),
  );
  t.is(ignoringTimes(live, later), live);
  const other = trackUpdate(live, deployment({ ...web(), replicas: 2 }), request('x'));
  t.is(ignoringTimes(live, other), other);
});

const oldVersion = {
  type: fieldType({
    type: 'object',
    properties: {
      metadata: { type: 'object' },
      spec: { type: 'object', properties: { count: { type: 'integer' }, paused: { type: 'boolean' } } },
    },
  }),
  show: (object: JsonObject) => renamed(object, 'replicas', 'count'),
  restore: (object: JsonObject) => renamed(object, 'count', 'replicas'),
};
const renamed = (object: JsonObject, from: string, to: string): JsonObject => {
  const { [from]: value, ...rest } = spec(object);
  return { ...object, spec: value === undefined ? rest : { ...rest, [to]: value } };
};

test('a manager of another version keeps what that version shows, and loses all when the version is gone', (t) => {
  const old = [
    { manager: 'old', operation: 'Apply', apiVersion: 'apps/v0', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { 'f:count': {} } } },
  ];
  const live = deployment({ replicas: 2 }, { managedFields: old });
  const view = (apiVersion: string) => (apiVersion === 'apps/v0' ? oldVersion : undefined);
  const configured = (fields: object) => freezeDeep({ ...identity, metadata: { name: 'web' }, spec: fields });
  const result = applyConfiguration(live, configured({ replicas: 3 }), { ...request('new'), force: false, view });
  t.is(result.outcome === 'conflict' && result.message, 'Apply failed with 1 conflict: conflict with "old": .spec.count');
  const gone = applyConfiguration(live, configured({ replicas: 3 }), { ...request('new'), force: false });
  t.deepEqual(gone.outcome === 'applied' && Object.keys(owners(gone.object)), ['new Apply']);
});

test('an applier that changes its version still removes what it applied before', (t) => {
  const old = [
    { manager: 'old', operation: 'Apply', apiVersion: 'apps/v0', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { 'f:count': {} } } },
  ];
  const live = deployment({ replicas: 2 }, { managedFields: old });
  const configuration = freezeDeep({ ...identity, metadata: { name: 'web' }, spec: { paused: true } });
  const apply = (restore: typeof oldVersion.restore) =>
    applyConfiguration(live, configuration, { ...request('old'), force: false, view: () => ({ ...oldVersion, restore }) });
  const converted = apply(oldVersion.restore);
  t.deepEqual(converted.outcome === 'applied' && converted.object['spec'], { paused: true });
  const failing = apply(() => {
    throw new TypeError('spec.count is missing');
  });
  t.deepEqual(
    failing.outcome === 'applied' && failing.object['spec'],
    { replicas: 2, paused: true },
    'a conversion that fails removes nothing',
  );
});

test('a schema that has become atomic gives the place to whoever owned a part of it', (t) => {
  const parts = [
    {
      manager: 'm',
      operation: 'Apply',
      apiVersion: 'apps/v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:selector': { 'f:matchLabels': { 'f:app': {} } } } },
    },
  ];
  const live = deployment(web(), { managedFields: parts });
  const result = apply(live, { spec: { selector: { matchLabels: { app: 'other' } } } });
  t.is(result.outcome === 'conflict' && result.message, 'Apply failed with 1 conflict: conflict with "m": .spec.selector');
});

test('objects of our own kinds start from nothing', (t) => {
  const own = fieldType({
    type: 'object',
    properties: {
      metadata: { type: 'object', properties: { name: { type: 'string' } } },
      spec: { type: 'object', default: {}, properties: { size: { type: 'integer' } } },
    },
  });
  const start = emptyObject(own, { apiVersion: 'a/v1', kind: 'A' }, false);
  t.deepEqual(start, { apiVersion: 'a/v1', kind: 'A', metadata: {} });
  const object = trackUpdate(undefined, freezeDeep({ apiVersion: 'a/v1', kind: 'A', metadata: { name: 'x' }, spec: { size: 1 } }), {
    type: own,
    apiVersion: 'a/v1',
    manager: 'm',
    time: at(0),
    empty: start,
  });
  t.deepEqual(owners(object), { 'm Update': { 'f:spec': { '.': {}, 'f:size': {} } } });
});
