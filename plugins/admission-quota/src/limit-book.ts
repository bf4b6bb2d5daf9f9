import type { Immutable, Resources } from '@tappaas/sdk';
import { limitsOf, names, type Amounts } from './amounts.js';
import { Quota, type QuotaObject } from './contract.js';

/** The subject of limits, such as `tenant/acme` or `namespace/shop`. */
export type Subject = `${'tenant' | 'namespace'}/${string}`;

/** The limits in force by subject, followed by a watch. */
export class LimitBook {
  readonly #quotas = new Map<string, { readonly subject: Subject; readonly limits: Amounts }>();
  #smallest: ReadonlyMap<Subject, Amounts> = new Map();
  #known = Promise.withResolvers<void>();
  #isKnown = false;

  /** Resolves when the quotas are known. */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  of(subject: Subject): Amounts {
    return this.#smallest.get(subject) ?? {};
  }

  /** Follows the quotas until the watch ends; between watches the last known limits stay in force. */
  async follow(resources: Resources, signal: AbortSignal): Promise<void> {
    let isFirst = true;
    for await (const batch of resources.watch(Quota, { signal })) {
      // The first batch contains all quotas.
      if (isFirst) this.#quotas.clear();
      isFirst = false;
      for (const { type, object } of batch) {
        if (type === 'deleted') this.#quotas.delete(object.metadata.name);
        else this.#put(object);
      }
      this.#count();
      if (!this.#isKnown) this.#known.resolve();
      this.#isKnown = true;
    }
  }

  #put({ metadata, spec }: Immutable<QuotaObject>): void {
    const { tenant, namespace = '' } = spec.of;
    const subject: Subject = tenant === undefined ? `namespace/${namespace}` : `tenant/${tenant}`;
    this.#quotas.set(metadata.name, { subject, limits: limitsOf(spec.limits) });
  }

  #count(): void {
    const smallest = new Map<Subject, Record<string, number>>();
    for (const { subject, limits } of this.#quotas.values()) {
      const known = smallest.get(subject) ?? {};
      for (const name of names) {
        const limit = limits[name];
        if (limit !== undefined) known[name] = Math.min(known[name] ?? Infinity, limit);
      }
      smallest.set(subject, known);
    }
    this.#smallest = smallest;
  }
}
