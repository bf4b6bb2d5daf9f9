import { type AdmissionOperation, type Context, definePlugin, deny, hooks, type Strings, tenantLabel } from '@tappaas/sdk';
import { claimsOf, subjectsOf } from './claims.js';
import { Quota } from './contract.js';
import { countUsage } from './count-usage.js';
import { labelContents } from './label-contents.js';
import { LimitBook } from './limit-book.js';
import { contents, counted, Namespaces, type Countable } from './usage.js';

const kinds = counted;
/** Includes label changes, so that nobody can label an object with another tenant. */
const operations: readonly AdmissionOperation[] = ['create', 'update', 'metadata'];
/** Maximum time that a write during startup waits for the limits. */
const knownMsMax = 500;

/** Limits of tenants and namespaces, exact under concurrency: usage is claimed in the transaction that writes the object. */
export default definePlugin({
  id: 'admission-quota',
  stability: 'beta',
  permissions: {
    resources: [
      { kind: Quota, verbs: ['get', 'list', 'watch', 'update'] },
      { kind: Namespaces, verbs: ['get', 'list', 'watch'] },
      ...contents.map((kind) => ({ kind, verbs: ['list' as const, 'update' as const] })),
    ],
  },
  setup(host) {
    const limits = new LimitBook();
    host.kind(Quota);
    host.tap(hooks.admission.mutate, { kinds: contents, operations }, ({ object }, context) => labelled(object, context));
    host.tap(hooks.admission.validate, { kinds }, async ({ object }, { clock, signal }) => {
      if (subjectsOf(object).length === 0) return undefined;
      const waiting = new AbortController();
      const late = clock.sleep(knownMsMax, AbortSignal.any([waiting.signal, signal])).then(() => true);
      const isLate = await Promise.race([limits.known.then(() => false), late.catch(() => true)]);
      waiting.abort();
      return isLate
        ? deny({ field: '', reason: 'QuotaUnknown', message: 'the limits are not known yet; try again in a moment' })
        : undefined;
    });
    host.tap(hooks.admission.claim, { kinds }, (object) => claimsOf(object as Countable, limits));
    host.task({ name: 'limits', on: 'every-replica', everyMs: 1000, run: ({ asPlugin, signal }) => limits.follow(asPlugin, signal) });
    host.controller({ kind: Quota, reconcile: countUsage });
    // Labels objects that existed before the plugin was loaded or before their namespace was assigned to another tenant.
    host.controller({ kind: Namespaces, reconcile: labelContents });
  },
});

/** An object that may be in a namespace. */
interface Labelled {
  readonly metadata?: { readonly namespace?: string | undefined; readonly labels?: Strings | undefined };
}

/** Returns the object with the tenant label of its namespace, overriding its own; undefined if nothing changes. */
async function labelled<O extends Labelled>(object: O, { asPlugin }: Context): Promise<O | undefined> {
  const { namespace, labels = {} } = object.metadata ?? {};
  const found = namespace === undefined ? undefined : await asPlugin.get(Namespaces, { name: namespace });
  const tenant = found?.metadata?.labels?.[tenantLabel];
  if (labels[tenantLabel] === tenant) return undefined;
  const { [tenantLabel]: _, ...others } = labels;
  return { ...object, metadata: { ...object.metadata, labels: tenant === undefined ? others : { ...others, [tenantLabel]: tenant } } };
}
