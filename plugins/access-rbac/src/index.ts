import { definePlugin, families, hooks, type AdmissionOperation } from '@tappaas/sdk';
import { aggregatedRules, sameRules } from './aggregation.js';
import { roleAuthorizer } from './authorizer.js';
import { reconcileDefaults } from './default-reconciliation.js';
import { bindingEscalation, roleEscalation } from './escalation.js';
import { bindRequester } from './first-binding.js';
import { FollowedRoles } from './followed-roles.js';
import { ClusterRoleBindings, ClusterRoles, Namespaces, RoleBindings, Roles } from './kinds.js';
import { RoleIndex } from './role-index.js';

/** Includes label changes, which can aggregate a ClusterRole into others. */
const operations: readonly AdmissionOperation[] = ['create', 'update', 'metadata'];
/** Maximum time that the start waits for the roles. */
const firstReadMsMax = 5_000;
/** Interval at which the default roles are reconciled. */
const defaultsEveryMs = 600_000;
/** Maximum number of cluster roles considered for aggregation. */
const itemsMax = 100_000;

/** Decides by Role, ClusterRole and their bindings, with Kubernetes' rules; maintains the default roles and aggregated rules. */
export default definePlugin({
  id: 'access-rbac',
  stability: 'beta',
  permissions: {
    resources: [
      { kind: Roles, verbs: ['list', 'watch'] },
      { kind: ClusterRoles, verbs: ['get', 'list', 'watch', 'create', 'update'] },
      { kind: RoleBindings, verbs: ['list', 'watch', 'create'] },
      { kind: ClusterRoleBindings, verbs: ['get', 'list', 'watch', 'create', 'update', 'delete'] },
      { kind: Namespaces, verbs: ['get', 'list', 'watch', 'update'] },
    ],
  },
  setup(host) {
    const index = new RoleIndex();
    const followed = new FollowedRoles(index);
    const stopping = new AbortController();
    host.provide(
      families.authorizer,
      async ({ asPlugin, clock, log }) => {
        followed.start({ resources: asPlugin, clock, log, signal: stopping.signal });
        // A store that does not respond must not prevent the platform from starting; until it does, the authorizer denies every request.
        const waiting = new AbortController();
        await Promise.race([
          followed.known,
          clock.sleep(firstReadMsMax, AbortSignal.any([waiting.signal, stopping.signal])).catch(() => {}),
        ]);
        waiting.abort();
        return roleAuthorizer(index, followed);
      },
      () => stopping.abort(),
    );
    host.tap(hooks.admission.validate, { kinds: [Roles, ClusterRoles], operations, name: 'roles' }, (write) =>
      roleEscalation(index, write),
    );
    host.tap(hooks.admission.validate, { kinds: [RoleBindings, ClusterRoleBindings], operations, name: 'bindings' }, (write) =>
      bindingEscalation(index, write),
    );
    host.controller({
      kind: ClusterRoles,
      watches: [
        {
          kind: ClusterRoles,
          wakes: () => followed.clusterRoles.flatMap(({ aggregationRule, metadata: { name = '' } }) => (aggregationRule ? [{ name }] : [])),
        },
      ],
      async reconcile(role, { asPlugin }) {
        if (role.aggregationRule === undefined) return;
        const all: (typeof role)[] = [];
        for await (const each of asPlugin.list(ClusterRoles, { itemsMax })) all.push(each);
        const rules = aggregatedRules(role, all);
        const { name = '', resourceVersion } = role.metadata;
        if (!sameRules(rules, role.rules ?? [])) await asPlugin.patch(ClusterRoles, { name }, { metadata: { resourceVersion }, rules });
      },
    });
    host.controller({ kind: Namespaces, reconcile: (namespace, { asPlugin }) => bindRequester(namespace, asPlugin) });
    host.task({ name: 'defaults', on: 'leader', everyMs: defaultsEveryMs, run: ({ asPlugin }) => reconcileDefaults(asPlugin) });
  },
});
