import { byPreference } from '../../openapi/discovery.js';
import type { ServedKind } from '../../../ports/engine.js';
import type { Components, JsonSchema } from './shape.js';
import { camelCase, pascalCase, type TypeNames } from './type-names.js';

/** A kind in the schema: at its preferred version, with unique names. */
export interface ExposedKind {
  readonly served: ServedKind;
  readonly typeName: string;
  /** Names of the queries for one object and for many. */
  readonly one: string;
  readonly many: string;
  /** Schema of the whole object. */
  readonly schema: JsonSchema;
  readonly components: Components;
}

/** Returns the kinds that store objects. The platform's own claim their names first, so kinds of plugins never take them. */
export function exposedKinds(kinds: readonly ServedKind[], names: TypeNames, rootNames: TypeNames): readonly ExposedKind[] {
  const stored = kinds.filter(({ verbs }) => verbs.includes('get') && verbs.includes('list'));
  const preferred = [...Map.groupBy(stored, ({ group, kind }) => `${group}/${kind}`).values()].flatMap(
    (versions) => versions.toSorted((one, other) => byPreference(one.version, other.version))[0] ?? [],
  );
  return preferred.toSorted(inOrder).map((served) => {
    const qualified = `${served.group === '' ? 'Core' : pascalCase(served.group.replace(/\.k8s\.io$/, ''))}${served.kind}`;
    const typeName = names.claim(served.kind, qualified);
    const one = rootNames.claim(camelCase(typeName));
    const many = rootNames.claim(pluralOf(served, typeName), `${camelCase(typeName)}List`);
    const components = served.components() as Components;
    return { served, typeName, one, many, components, schema: components[served.schemaName] ?? {} };
  });
}

function inOrder(one: ServedKind, other: ServedKind): number {
  return rank(one) - rank(other) || compare(one.group, other.group) || compare(one.kind, other.kind);
}

function rank({ group }: ServedKind): number {
  if (/(?:^|\.)tappaas\.dev$/.test(group)) return 0;
  return group === '' ? 1 : group.endsWith('.k8s.io') ? 2 : 3;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Restores the case of a plural: `configMaps` for ConfigMap and configmaps. The common prefix keeps the kind's case. */
function pluralOf({ kind, plural }: ServedKind, typeName: string): string {
  const lower = kind.toLowerCase();
  let common = 0;
  while (common < lower.length && lower[common] === plural[common]) common += 1;
  return camelCase(typeName).slice(0, typeName.length - kind.length + common) + plural.slice(common);
}
