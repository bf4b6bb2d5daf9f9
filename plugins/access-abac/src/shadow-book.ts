import type { AccessRequest } from '@tappaas/sdk';

/** What a policy in shadow mode would have forbidden. */
export interface ShadowRecord {
  readonly time: string;
  readonly policies: readonly string[];
  readonly user: string;
  readonly tenant?: string;
  readonly verb: string;
  /** Such as `apps.tappaas.dev/applications shop/web`, or a path. */
  readonly about: string;
}

/** Records that are kept; the oldest goes first. */
const recordsMax = 500;

/** The last things that policies in shadow mode would have forbidden. */
export class ShadowBook {
  readonly #records: ShadowRecord[] = [];

  add(policies: readonly string[], { caller, verb, resource, path = '', engine }: AccessRequest, nowMs: number): void {
    const about =
      resource === undefined
        ? path
        : `${engine === 'platform' ? '' : `${engine}: `}${resource.group === '' ? '' : `${resource.group}/`}${resource.plural} ${[resource.namespace, resource.name].filter(Boolean).join('/')}`.trim();
    const tenant = caller.tenant === undefined ? {} : { tenant: caller.tenant };
    this.#records.push({ time: new Date(nowMs).toISOString(), policies, user: caller.name, ...tenant, verb, about });
    if (this.#records.length > recordsMax) this.#records.shift();
  }

  get records(): readonly ShadowRecord[] {
    return this.#records;
  }
}
