import { definePlugin, families, hooks } from '@tappaas/sdk';
import { Policy } from './contract.js';
import { FollowedPolicies } from './followed-policies.js';
import { policyAuthorizer } from './policy-authorizer.js';
import { PolicyChecker } from './policy-text.js';
import { ShadowBook } from './shadow-book.js';

/** Maximum time that the start waits for the policies. */
const firstReadMsMax = 5_000;

/** Interval at which a process publishes its shadow records. */
const sharedEveryMs = 1_000;

/** Denies, by Cedar policies, requests that roles allow. */
export default definePlugin({
  id: 'access-abac',
  stability: 'beta',
  permissions: { resources: [{ kind: Policy, verbs: ['list', 'watch'] }] },
  setup(host) {
    const policies = new FollowedPolicies();
    const checker = new PolicyChecker();
    const shadows = new ShadowBook();
    const stopping = new AbortController();
    const counted = host.counter({
      name: 'tappaas_access_policy_denials_total',
      help: 'Requests that a policy forbade, or in shadow mode would have forbidden.',
      labels: ['policy', 'mode', 'outcome'],
      seriesMax: 1_000,
    });
    host.kind(Policy);
    host.provide(
      families.authorizer,
      async ({ asPlugin, clock, log }) => {
        // Loaded and warmed up here, so that no request or write has to wait for it.
        checker.warm();
        policies.start({ resources: asPlugin, clock, log, signal: stopping.signal });
        const waiting = new AbortController();
        await Promise.race([
          policies.known,
          clock.sleep(firstReadMsMax, AbortSignal.any([waiting.signal, stopping.signal])).catch(() => {}),
        ]);
        waiting.abort();
        return policyAuthorizer({ policies, shadows, clock, count: counted });
      },
      () => stopping.abort(),
    );
    host.tap(hooks.admission.validate, { kinds: [Policy] }, ({ object }) => checker.faultsIn(object.spec.cedar));
    host.http({
      method: 'GET',
      path: '/shadow',
      description: 'Recent requests that policies in shadow mode would have forbidden.',
      bodyBytesMax: 0,
      auth: 'caller',
      handle: async (_, { state, caller }) => ({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ items: await shadows.records(state, policies.shadowed.names, caller.tenant) }),
      }),
    });
    host.task({ name: 'shadow', on: 'every-replica', everyMs: sharedEveryMs, run: ({ state }) => shadows.share(state) });
  },
});
