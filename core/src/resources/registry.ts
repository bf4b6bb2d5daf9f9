import type { AnyKind, KindBehaviour } from '@tappaas/sdk';
import type { KindPath, ServedKind, ServedSubresource } from '../ports/engine.js';
import { resourceErrors } from './errors.js';
import type { KeySpace } from './key-space.js';
import { describeKind, type KindDescription, type VersionDescription } from './kind-description.js';
import { apiVersionOf, groupKindOf, type KindEntry, type KindRegistration } from './kind-entry.js';
import type { KindVersionEntry } from './kind-entry.js';
import { kubernetesBehaviour } from './kinds/kubernetes-behaviours.js';
import { kubernetesStrategies } from './kinds/kubernetes-strategies.js';
import { fieldType, type FieldType } from './schema/field-type.js';
import { plainStrategy } from './strategy.js';

/** The kind and version that a path serves. */
export interface Found {
  readonly entry: KindEntry;
  readonly version: KindVersionEntry;
}

/** The kinds of one engine. Immutable; a reload replaces it as a whole. */
export interface Registry {
  readonly entries: readonly KindEntry[];
  readonly served: readonly ServedKind[];
  find(path: KindPath): Found | undefined;
  /** Finds a kind by group and kind, regardless of version. */
  ofKind(group: string, kind: string): KindEntry | undefined;
}

/** Combines entries. @throws TAP_KIND_DUPLICATE when two claim a kind or a path */
export function createRegistry(entries: readonly KindEntry[]): Registry {
  const byPath = new Map<string, Found>();
  const byKind = new Map<string, KindEntry>();
  /** Requests with the same request line share their path object, so most lookups repeat an earlier one. */
  const found = new WeakMap<KindPath, Found>();
  for (const entry of entries) {
    refuseRival(entry, byKind.get(groupKindOf(entry)));
    byKind.set(groupKindOf(entry), entry);
    for (const [version, found] of entry.versions) {
      const path = pathKey({ group: entry.group, version, plural: entry.plural });
      refuseRival(entry, byPath.get(path)?.entry);
      byPath.set(path, Object.freeze({ entry, version: found }));
    }
  }
  return Object.freeze({
    entries: Object.freeze([...entries]),
    served: Object.freeze(entries.flatMap((entry) => [...entry.versions.values()].map((version) => version.served))),
    find(path: KindPath) {
      const known = found.get(path);
      if (known !== undefined) return known;
      const made = byPath.get(pathKey(path));
      if (made !== undefined) found.set(path, made);
      return made;
    },
    ofKind: (group: string, kind: string) => byKind.get(groupKindOf({ group, kind })),
  });
}

const pathKey = (path: KindPath): string => `${path.group}/${path.version}/${path.plural}`;

function refuseRival(entry: KindEntry, rival: KindEntry | undefined): void {
  if (rival === undefined) return;
  throw resourceErrors.TAP_KIND_DUPLICATE({
    message: `kind ${entry.kind} of group "${entry.group}" (${entry.plural}) is contributed by ${rival.plugin} and by ${entry.plugin}`,
  });
}

const readingVerbs: readonly string[] = ['get', 'list', 'watch'];
const partVerbs = ['get', 'patch', 'update'];
const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

/** Makes the entry of a contributed kind. @throws TAP_KIND_INVALID */
export function kindEntry(registration: KindRegistration, keys: KeySpace): KindEntry {
  return entryOf(describeKind(registration), registration, keys, false);
}

/** Makes the entry of a remembered kind: its objects can only be read and removed. */
export function orphanEntry(description: KindDescription, registration: Omit<KindRegistration, 'kind'>, keys: KeySpace): KindEntry {
  return entryOf(description, registration, keys, true);
}

function entryOf(
  description: KindDescription,
  registration: Omit<KindRegistration, 'kind'>,
  keys: KeySpace,
  isOrphaned: boolean,
): KindEntry {
  const { group, plural } = description;
  const known = description.isKubernetes ? kubernetesStrategies[groupKindOf(description)] : undefined;
  const strategy = registration.strategy ?? known ?? plainStrategy;
  const verbs = registration.virtual ? ['create'] : isOrphaned ? readingVerbs : description.verbs;
  const subresources = [...builtInParts(description, isOrphaned), ...(registration.subresources ?? [])];
  const fields = new Map(description.fields.map((field) => [bare(field), bare(field).split('.')]));
  const [hub, ...others] = description.versions.map((version) =>
    versionEntry({ description, version, verbs, subresources, isOrphaned, beginsOperations: registration.operation !== undefined }),
  );
  if (hub === undefined) throw resourceErrors.TAP_KIND_INVALID({ message: `kind ${description.kind} has no version` });
  return Object.freeze({
    group,
    plural,
    kind: description.kind,
    isNamespaced: description.scope === 'Namespaced',
    plugin: registration.plugin,
    isKubernetes: description.isKubernetes,
    prefix: keys.kindPrefix(group, plural),
    hub,
    versions: new Map([hub, ...others].map((version) => [version.served.version, version])),
    verbs: new Set(verbs),
    hasStatus: description.hasStatus,
    hasGeneration: strategy.hasGeneration ?? (!description.isKubernetes || description.hasStatus),
    scale: description.scale,
    fields,
    selectable: new Map([...identity, ...fields]),
    immutable: [...description.immutable, ...(strategy.immutable ?? [])].map((field) => field.split('.')),
    behaviour: behaviourOf(description, registration),
    strategy,
    virtual: registration.virtual,
    operation: registration.operation,
    isConfidential: registration.isConfidential ?? (description.isKubernetes && groupKindOf(description) === '/Secret'),
    isOrphaned,
  });
}

function behaviourOf(description: KindDescription, { behaviour }: Pick<KindRegistration, 'behaviour'>): KindBehaviour<AnyKind> {
  return description.isKubernetes ? kubernetesBehaviour(groupKindOf(description), behaviour) : (behaviour ?? {});
}

const identity: readonly (readonly [string, readonly string[]])[] = [
  ['metadata.name', ['metadata', 'name']],
  ['metadata.namespace', ['metadata', 'namespace']],
];

const bare = (path: string): string => path.replace(/^\./, '');

function builtInParts(description: KindDescription, isOrphaned: boolean): readonly ServedSubresource[] {
  const verbs = isOrphaned ? ['get'] : partVerbs;
  return [
    ...(description.hasStatus ? [{ name: 'status', verbs }] : []),
    ...(description.scale ? [{ name: 'scale', verbs, kind: scaleKind }] : []),
  ];
}

interface VersionParts {
  readonly description: KindDescription;
  readonly version: VersionDescription;
  readonly verbs: readonly string[];
  readonly subresources: readonly ServedSubresource[];
  readonly isOrphaned: boolean;
  readonly beginsOperations: boolean;
}

function versionEntry({ description, version, verbs, subresources, isOrphaned, beginsOperations }: VersionParts): KindVersionEntry {
  const { group, kind, plural, singular, scope, shortNames, categories, columns, isKubernetes } = description;
  const { schemaName, components, deprecated } = version;
  const served: ServedKind = Object.freeze({
    group,
    version: version.version,
    plural,
    kind,
    singular,
    scope,
    description: description.description,
    shortNames,
    categories,
    verbs,
    subresources,
    schemaName,
    components,
    columns,
    strategicMerge: isKubernetes,
    ...(deprecated && { deprecated }),
    orphaned: isOrphaned,
    ...(description.owner && { owner: description.owner }),
    ...(description.isShared && { isShared: description.isShared }),
    ...(beginsOperations && { beginsOperations }),
  });
  let type: FieldType | undefined;
  return Object.freeze({
    served,
    apiVersion: apiVersionOf(served),
    conversion: version.conversion,
    get type(): FieldType {
      type ??= fieldType(components()[schemaName] ?? {}, components());
      return type;
    },
  });
}
