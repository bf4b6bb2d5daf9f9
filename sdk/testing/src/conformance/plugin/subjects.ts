import type { MemoryTestKernel } from '../../memory-test-kernel.js';
import { declarationOf, recordWith, type PluginHarness, type SampleObject } from './harness.js';
import { kindName, samples } from './samples.js';

/** The objects that a plugin acts on: of kinds it taps on the platform's engine, and of kinds it reconciles on any engine. */
export interface Subjects {
  readonly tapped: readonly SampleObject[];
  readonly reconciled: readonly SampleObject[];
  /** Kinds without a sample object. */
  readonly missing: readonly string[];
}

/** Objects for everything the plugin taps or reconciles: the author's own if there are any, otherwise the kit's. */
export function subjectsOf({ platform }: MemoryTestKernel, { plugin, objects = [] }: PluginHarness): Subjects {
  const { controllers } = platform.kernel.registrations();
  const { taps } = recordWith(plugin, declarationOf(plugin).example);
  const known = [...objects, ...samples];
  const find = (name: string, engine?: string): readonly SampleObject[] => {
    const own = objects.filter((sample) => kindName(sample.kind) === name && sample.engine === engine);
    const some = own.length > 0 ? own : known.filter((sample) => kindName(sample.kind) === name).slice(0, 1);
    return some.map((sample) => (engine === undefined ? sample : { ...sample, engine }));
  };
  const tappedKinds = [...new Set(taps.filter(({ engine }) => engine === undefined).flatMap(({ kinds = [] }) => kinds))];
  const own = controllers.filter((registered) => registered.plugin === plugin.id).map(({ value }) => value);
  const reconciled = own.flatMap(({ kind, engine }) => find(kindName(kind), engine).map((sample) => ({ ...sample, kind })));
  return {
    tapped: tappedKinds.flatMap((name) => find(name)),
    reconciled,
    missing: [
      ...tappedKinds.filter((name) => find(name).length === 0),
      ...own.filter(({ kind, engine }) => find(kindName(kind), engine).length === 0).map(({ kind }) => kindName(kind)),
    ],
  };
}
