import test from 'ava';
import type { NodeSelectorTerm, Toleration } from '@tappaas/sdk';
import { HostPortTable, hostPortsOf } from '../../dist/schedule/host-ports.js';
import { nodePreferenceOf, nodeSelectionOf } from '../../dist/schedule/node-selection.js';
import { avoidedTaints, tolerationCheck, tolerates } from '../../dist/schedule/toleration.js';

const node = (labels: Record<string, string>, name = 'n1') => ({ name, labels });
const required = (...nodeSelectorTerms: NodeSelectorTerm[]) =>
  nodeSelectionOf({
    containers: [],
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  });

test('every label of a node selector must be there with its value', (t) => {
  const matches = nodeSelectionOf({ containers: [], nodeSelector: { disk: 'ssd', zone: 'a' } });
  t.true(matches?.(node({ disk: 'ssd', zone: 'a', more: '1' })));
  t.false(matches?.(node({ disk: 'ssd' })));
  t.is(nodeSelectionOf({ containers: [] }), undefined);
});

test('names of built-in properties are not labels', (t) => {
  t.false(nodeSelectionOf({ containers: [], nodeSelector: { constructor: 'x' } })?.(node({})));
  t.false(required({ matchExpressions: [{ key: 'toString', operator: 'Exists' }] })?.(node({})));
});

test('affinity terms are alternatives, and all requirements of one must hold', (t) => {
  const matches = required(
    {
      matchExpressions: [
        { key: 'a', operator: 'In', values: ['1', '2'] },
        { key: 'b', operator: 'Exists' },
      ],
    },
    { matchExpressions: [{ key: 'c', operator: 'DoesNotExist' }] },
  );
  t.true(matches?.(node({ a: '2', b: '', c: 'x' })));
  t.true(matches?.(node({})));
  t.false(matches?.(node({ a: '2', c: 'x' })));
});

test('an absent label is not in any set, and compares with nothing', (t) => {
  const one = (operator: 'NotIn' | 'Gt' | 'Lt') => required({ matchExpressions: [{ key: 'rank', operator, values: ['5'] }] });
  t.true(one('NotIn')?.(node({})));
  t.false(one('NotIn')?.(node({ rank: '5' })));
  t.false(one('Gt')?.(node({})));
  t.true(one('Gt')?.(node({ rank: '6' })));
  t.false(one('Gt')?.(node({ rank: '5' })));
  t.true(one('Lt')?.(node({ rank: '-4' })));
  t.false(one('Lt')?.(node({ rank: 'four' })));
});

test('terms without requirements, unknown operators and unknown fields match nothing', (t) => {
  t.false(required({})?.(node({})));
  t.false(required()?.(node({})));
  t.false(required({ matchExpressions: [{ key: 'a', operator: 'Near' as 'In', values: ['1'] }] })?.(node({ a: '1' })));
  t.true(required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] })?.(node({})));
  t.false(required({ matchFields: [{ key: 'metadata.uid', operator: 'NotIn', values: ['n1'] }] })?.(node({})));
});

test('preferred terms add their weights', (t) => {
  const term = (weight: number, key: string) => ({ weight, preference: { matchExpressions: [{ key, operator: 'Exists' as const }] } });
  const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [term(5, 'a'), term(7, 'b')] };
  const preference = nodePreferenceOf({ containers: [], affinity: { nodeAffinity: preferred } });
  t.is(preference?.(node({ a: '', b: '' })), 12);
  t.is(preference?.(node({ b: '' })), 7);
  t.is(nodePreferenceOf({ containers: [] }), undefined);
});

const taint = { key: 'dedicated', value: 'team', effect: 'NoSchedule' as const };

test('a toleration covers taints of its key, value and effect', (t) => {
  const yes: readonly Toleration[] = [
    { operator: 'Exists' },
    { key: 'dedicated', operator: 'Exists' },
    { key: 'dedicated', value: 'team' },
    { key: 'dedicated', operator: 'Equal', value: 'team', effect: 'NoSchedule' },
  ];
  const no: readonly Toleration[] = [
    { key: 'dedicated', value: 'other' },
    { key: 'dedicated', operator: 'Exists', effect: 'NoExecute' },
    { key: 'other', operator: 'Exists' },
    { key: 'dedicated' },
    { key: 'dedicated', operator: 'Gt', value: '1' },
    {},
  ];
  for (const toleration of yes) t.true(tolerates(toleration, taint), JSON.stringify(toleration));
  for (const toleration of no) t.false(tolerates(toleration, taint), JSON.stringify(toleration));
});

test('only taints that forbid refuse a pod; those that advise are counted', (t) => {
  const taints = [{ key: 'spot', effect: 'PreferNoSchedule' as const }];
  t.is(tolerationCheck([])({ taints, unschedulable: false }), undefined);
  t.is(avoidedTaints([])({ taints: [...taints, taint] }), 1);
  t.is(avoidedTaints([{ operator: 'Exists' }])({ taints }), 0);
  t.regex(tolerationCheck([])({ taints: [taint], unschedulable: false }) ?? '', /dedicated=team:NoSchedule/);
});

test('an unschedulable node takes only pods that tolerate it', (t) => {
  t.is(tolerationCheck([])({ taints: [], unschedulable: true }), 'the node is marked unschedulable');
  t.is(tolerationCheck([{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }])({ taints: [], unschedulable: true }), undefined);
});

test('host ports collide by protocol, port and address, where no address means every one', (t) => {
  const ports = new HostPortTable();
  const port = (address: string, protocol = 'TCP', number = 80) => ({ protocol, port: number, address });
  ports.take(1, [port('127.0.0.1')]);
  t.truthy(ports.conflict(1, [port('127.0.0.1')]));
  t.truthy(ports.conflict(1, [port('0.0.0.0')]));
  t.is(ports.conflict(1, [port('10.0.0.1')]), undefined);
  t.is(ports.conflict(1, [port('127.0.0.1', 'UDP')]), undefined);
  t.is(ports.conflict(1, [port('127.0.0.1', 'TCP', 81)]), undefined);
  t.is(ports.conflict(2, [port('127.0.0.1')]), undefined);
  ports.take(1, [port('127.0.0.1')]);
  ports.release(1, [port('127.0.0.1')]);
  t.truthy(ports.conflict(1, [port('0.0.0.0')]));
  ports.release(1, [port('127.0.0.1')]);
  t.is(ports.conflict(1, [port('0.0.0.0')]), undefined);
  ports.take(1, [port('0.0.0.0')]);
  t.truthy(ports.conflict(1, [port('10.0.0.1')]));
});

test('host ports are those of containers and sidecars, not of init containers', (t) => {
  const withPort = (hostPort: number | undefined) => ({
    name: 'c',
    image: 'i',
    ports: [{ containerPort: 1, ...(hostPort !== undefined && { hostPort }) }],
  });
  const ports = hostPortsOf({
    containers: [withPort(80), withPort(undefined)],
    initContainers: [withPort(81), { ...withPort(82), restartPolicy: 'Always' }],
  });
  t.deepEqual(ports, [
    { protocol: 'TCP', port: 80, address: '0.0.0.0' },
    { protocol: 'TCP', port: 82, address: '0.0.0.0' },
  ]);
});
