import type { Tap } from '../hooks/tap.js';
import type { Registered, Registrations } from '../registrations.js';
import type { SetupRecord } from '../setup/setup-record.js';
import type { Instance } from './instance.js';
import { describeTaps } from './make-taps.js';

/** Combines the registrations of all instances, each with its guard. */
export function makeRegistrations(instances: Iterable<Instance>, taps: readonly Tap[]): Registrations {
  const all = [...instances];
  const each = <T>(of: (record: SetupRecord) => readonly T[]): readonly Registered<T>[] =>
    all.flatMap(({ id, guard, record }) => of(record).map((value) => ({ plugin: id, guard, value })));
  return Object.freeze({
    kinds: each(({ kinds }) => kinds),
    engines: each(({ engines }) => engines),
    controllers: each(({ controllers }) => controllers),
    actions: each(({ actions }) => actions),
    fields: each(({ fields }) => fields),
    routes: each(({ routes }) => routes),
    columns: each(({ columns }) => columns),
    taps: describeTaps(taps),
  });
}
