import type { ExposedKind } from './exposed-kinds.js';
import { findKind } from './schema-parts.js';

/** A relation to objects that hold the uid of their parent in an indexed field. */
export interface Relation {
  readonly name: string;
  readonly description: string;
  readonly to: ExposedKind;
  readonly field: string;
}

interface Declared {
  /** Absent: every kind of the platform's groups. */
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

/** Returns the relations of a kind whose target kinds are served. */
export function relationsOf({ served }: ExposedKind, kinds: readonly ExposedKind[]): readonly Relation[] {
  return declared.flatMap(({ on, name, description, to, field }) => {
    const isMeant = on === undefined ? /(?:^|\.)tappaas\.dev$/.test(served.group) : on.group === served.group && on.kind === served.kind;
    const target = isMeant ? findKind(kinds, to.group, to.kind) : undefined;
    return target === undefined || target.served === served ? [] : [{ name, description, to: target, field }];
  });
}
