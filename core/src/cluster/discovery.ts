import { isTapError, type Clock } from '@tappaas/sdk';
import { groupPath, type ApiResource } from './api-resource.js';
import { clusterErrors } from './errors.js';

interface ApiResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

interface KnownGroup {
  readonly resources: Promise<ReadonlyMap<string, ApiResource>>;
  readonly fetchedAtMs: number;
}

/** Discovery results are refreshed after this time. */
const knownMs = 10 * 60_000;
/** A missing kind may have been installed meanwhile; minimum time between requests for one. */
const missingMs = 10_000;
const groupsMax = 1_000;

/** Finds where the objects of a kind are served, with caching. */
export class Discovery {
  readonly #clock: Clock;
  readonly #fetch: (path: string) => Promise<unknown>;
  readonly #groups = new Map<string, KnownGroup>();

  constructor(clock: Clock, fetch: (path: string) => Promise<unknown>) {
    this.#clock = clock;
    this.#fetch = fetch;
  }

  /** @throws TAP_CLUSTER_KIND_UNKNOWN, TAP_CLUSTER_* */
  async resourceOf({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): Promise<ApiResource> {
    const known = (await this.#group(apiVersion, knownMs)).get(kind) ?? (await this.#group(apiVersion, missingMs)).get(kind);
    if (known) return known;
    throw clusterErrors.TAP_CLUSTER_KIND_UNKNOWN({ message: `the cluster does not serve ${kind} of ${apiVersion}` });
  }

  #group(apiVersion: string, ageMsMax: number): Promise<ReadonlyMap<string, ApiResource>> {
    const known = this.#groups.get(apiVersion);
    const nowMs = this.#clock.nowMs();
    if (known && nowMs - known.fetchedAtMs < ageMsMax) return known.resources;
    if (this.#groups.size >= groupsMax) this.#groups.clear();
    const resources = this.#ask(apiVersion);
    this.#groups.set(apiVersion, { resources, fetchedAtMs: nowMs });
    resources.catch(() => this.#groups.delete(apiVersion));
    return resources;
  }

  async #ask(apiVersion: string): Promise<ReadonlyMap<string, ApiResource>> {
    const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['', apiVersion];
    const list = await this.#fetch(groupPath(apiVersion)).catch((error: unknown) => {
      if (isTapError(error, 'TAP_OBJECT_NOT_FOUND')) return {};
      throw error;
    });
    const resources = new Map<string, ApiResource>();
    for (const { name, kind, namespaced } of (list as ApiResourceList).resources ?? []) {
      // Names such as "pods/log" are subresources.
      if (!name.includes('/')) resources.set(kind, { group, version, plural: name, kind, namespaced });
    }
    return resources;
  }
}
