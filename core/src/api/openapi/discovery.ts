import { createHash } from 'node:crypto';
import type { EnginePort, ServedKind } from '../../ports/engine.js';

/** A document in the form in which it is sent, serialized once per change of kinds. */
export interface StoredDocument {
  readonly bytes: Buffer;
  readonly tag: string;
}

/** The discovery documents of one engine, plain and aggregated. */
export interface Discovery {
  /** Returns the document at `/api`, `/apis` or below; undefined for groups that are not served. */
  plain(path: string): StoredDocument | undefined;
  /** Returns `/api` or `/apis` as APIGroupDiscoveryList. */
  aggregated(path: '/api' | '/apis'): StoredDocument;
}

export function storedDocument(value: object): StoredDocument {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, tag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32).toUpperCase()}"` };
}

/** Serves the discovery documents of an engine; they are made again only when its kinds have changed. */
export function createDiscovery(engine: EnginePort, serverAddress: () => string): Discovery {
  let source: readonly ServedKind[] | undefined;
  let documents = new Map<string, StoredDocument>();
  const current = (): Map<string, StoredDocument> => {
    const kinds = engine.kinds();
    if (kinds !== source) {
      documents = documentsOf(kinds, serverAddress());
      source = kinds;
    }
    return documents;
  };
  return {
    plain: (path) => current().get(path),
    aggregated: (path) => current().get(`aggregated ${path}`) ?? storedDocument(aggregatedList([])),
  };
}

/** The kinds of one group by version. */
export interface GroupVersions {
  readonly group: string;
  readonly versions: ReadonlyMap<string, readonly ServedKind[]>;
}

function documentsOf(kinds: readonly ServedKind[], serverAddress: string): Map<string, StoredDocument> {
  const documents = new Map<string, StoredDocument>();
  const put = (path: string, value: object): void => void documents.set(path, storedDocument(value));
  const groups = groupVersionsOf(kinds);
  const core = groups.filter(({ group }) => group === '');
  const named = groups.filter(({ group }) => group !== '');
  put('/api', {
    kind: 'APIVersions',
    versions: core.flatMap(({ versions }) => [...versions.keys()]),
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  });
  put('/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: named.map(apiGroup) });
  for (const each of named) put(`/apis/${each.group}`, { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(each) });
  for (const { group, versions } of groups) {
    for (const [version, served] of versions) put(group === '' ? `/api/${version}` : `/apis/${group}/${version}`, resourceList(served));
  }
  put('aggregated /api', aggregatedList(core));
  put('aggregated /apis', aggregatedList(named));
  return documents;
}

/** Groups kinds by group and version; preferred versions first: stable before beta before alpha, higher numbers first, as in Kubernetes. */
export function groupVersionsOf(kinds: readonly ServedKind[]): GroupVersions[] {
  const groups = Map.groupBy(kinds, ({ group }) => group);
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, members]) => {
      const versions = [...Map.groupBy(members, ({ version }) => version)].sort(([a], [b]) => byPreference(a, b));
      return { group, versions: new Map(versions) };
    });
}

const versionForm = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const stages: Readonly<Record<string, number>> = { alpha: 0, beta: 1 };

export function byPreference(a: string, b: string): number {
  const ranks = [a, b].map((version) => {
    const [, major = '-1', stage, minor = '0'] = versionForm.exec(version) ?? [];
    return [stage === undefined ? 2 : (stages[stage] ?? 0), Number(major), Number(minor)];
  });
  const [left = [], right = []] = ranks;
  const difference = left.map((rank, index) => (right[index] ?? 0) - rank).find((each) => each !== 0);
  return difference ?? (a < b ? -1 : 1);
}

function apiGroup({ group, versions }: GroupVersions): object {
  const described = [...versions.keys()].map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: described, preferredVersion: described[0] };
}

function resourceList(kinds: readonly ServedKind[]): object {
  const [{ group, version } = { group: '', version: 'v1' }] = kinds;
  const groupVersion = group === '' ? version : `${group}/${version}`;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: kinds.flatMap(resourcesOf) };
}

function resourcesOf(kind: ServedKind): object[] {
  const { plural, singular, scope, verbs, shortNames, categories } = kind;
  const namespaced = scope === 'Namespaced';
  const own = {
    name: plural,
    singularName: singular,
    namespaced,
    kind: kind.kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  };
  const parts = kind.subresources.map((part) => ({
    name: `${plural}/${part.name}`,
    singularName: '',
    namespaced,
    ...(part.kind !== undefined && { group: part.kind.group, version: part.kind.version }),
    kind: part.kind?.kind ?? kind.kind,
    verbs: part.verbs,
  }));
  return [own, ...parts];
}

function aggregatedList(groups: readonly GroupVersions[]): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: group === '' ? {} : { name: group },
      versions: [...versions].map(([version, kinds]) => ({ version, resources: kinds.map(aggregatedResource), freshness: 'Current' })),
    })),
  };
}

function aggregatedResource(kind: ServedKind): object {
  const { group, version, plural, singular, scope, verbs, shortNames, categories } = kind;
  return {
    resource: plural,
    responseKind: { group, version, kind: kind.kind },
    scope: scope === 'Namespaced' ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(kind.subresources.length > 0 && {
      subresources: kind.subresources.map((part) => ({
        subresource: part.name,
        responseKind: part.kind ?? { group, version, kind: kind.kind },
        verbs: part.verbs,
      })),
    }),
  };
}
