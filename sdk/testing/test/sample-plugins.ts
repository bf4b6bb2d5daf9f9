import { defineKind, definePlugin, deny, hooks, Type, type ReconcileContext } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';

/** A sample application. */
export const shop = (replicas = 1) => ({
  namespace: 'default',
  name: 'shop',
  spec: { source: { image: 'shop:1' }, runtime: 'standard', processes: [{ name: 'web', replicas }] },
});

/** Denies applications with too many replicas. */
export const replicaLimit = definePlugin({
  id: 'replica-limit',
  config: Type.Object({ replicasMax: Type.Integer({ minimum: 1, description: 'Most replicas of one process.' }) }),
  example: { replicasMax: 10 },
  setup(host, { replicasMax }) {
    host.tap(hooks.admission.validate, { kinds: [Application] }, ({ object }) =>
      object.spec.processes.some(({ replicas }) => replicas > replicasMax)
        ? deny({ field: 'spec.processes', reason: 'TooManyReplicas', message: `has a process with more than ${replicasMax} replicas` })
        : undefined,
    );
  },
});

/** A kind for controllers under test. */
export const Budget = defineKind({
  group: 'billing.acme.dev',
  kind: 'Budget',
  plural: 'budgets',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'What a project may cost.',
  spec: Type.Object({ euro: Type.Number({ minimum: 0 }) }),
  status: Type.Object({
    seenEuro: Type.Optional(Type.Number()),
    runs: Type.Optional(Type.Integer()),
    observedGeneration: Type.Optional(Type.Integer()),
    conditions: Type.Optional(Type.Array(Type.Unknown())),
  }),
});

export const budget = (name: string, euro = 1) => ({ metadata: { namespace: 'default', name }, spec: { euro } });

type Reconcile = (
  object: { readonly metadata: { readonly name: string }; readonly spec: { readonly euro: number } },
  context: ReconcileContext<typeof Budget>,
) => Promise<void | { readonly againAfterMs: number }>;

/** A plugin that owns Budgets and reconciles them with the given function. */
export const budgets = (reconcile: Reconcile, more: { readonly runMsMax?: number } = {}) =>
  definePlugin({
    id: 'budgets',
    permissions: { resources: [{ kind: Budget, verbs: ['get', 'list', 'watch', 'create', 'update'] }] },
    setup(host) {
      host.kind(Budget);
      host.controller({ kind: Budget, reconcile, ...more });
    },
  });

export const ready = [{ type: 'Ready', status: 'True', reason: 'Seen', message: 'the budget was seen' }] as const;

/** Copies the spec of Budgets to their status. */
export const goodBudgets = budgets((object, context) => context.setStatus({ seenEuro: object.spec.euro }, ready));
