import type { ExposedKind } from './exposed-kinds.js';
import { findKind } from './schema-parts.js';

/** Objects that belong to an object, found by an indexed field that holds its uid. */
export interface Relation {
  readonly name: string;
  readonly description: string;
  readonly to: ExposedKind;
  readonly field: string;
}

interface Declared {
  /** Absent: every kind of the platform. */
  readonly on?: { readonly group: string; readonly kind: string };
  readonly name: string;
  readonly description: string;
  readonly to: { readonly group: string; readonly kind: string };
  readonly field: string;
}

const apps = 'apps.tappaas.dev';

const declared: readonly Declared[] = [
  {
    on: { group: apps, kind: 'Application' },
    name: 'releases',
    description: 'Releases of the application, newest first.',
    to: { group: apps, kind: 'Release' },
    field: 'spec.of.uid',
  },
  {
    name: 'operations',
    description: 'Past and present operations on the object, newest first.',
    to: { group: 'ops.tappaas.dev', kind: 'Operation' },
    field: 'spec.target.uid',
  },
  {
    name: 'events',
    description: 'Events about the object, newest first.',
    to: { group: '', kind: 'Event' },
    field: 'involvedObject.uid',
  },
];

/** The relations of a kind, as far as the kinds that they lead to are served. */
export function relationsOf({ served }: ExposedKind, kinds: readonly ExposedKind[]): readonly Relation[] {
  return declared.flatMap(({ on, name, description, to, field }) => {
    const isMeant = on === undefined ? /(?:^|\.)tappaas\.dev$/.test(served.group) : on.group === served.group && on.kind === served.kind;
    const target = isMeant ? findKind(kinds, to.group, to.kind) : undefined;
    return target === undefined || target.served === served ? [] : [{ name, description, to: target, field }];
  });
}
