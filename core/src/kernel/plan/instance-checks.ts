import { families } from '@tappaas/sdk';
import { didYouMean } from '../config/nearest-name.js';
import { makeProblem } from '../errors.js';
import type { PluginManifest } from '../manifest/manifest.js';
import type { Position, Problem } from '../problem.js';
import type { HookLimits, Mode } from './instance-plan.js';

/** The operator's settings of an instance, and where they are written. */
export interface WrittenInstance {
  readonly id: string;
  readonly mode: Mode;
  readonly mayFail: boolean;
  readonly limits: HookLimits;
  readonly placeOf: (...path: readonly string[]) => Position | undefined;
}

const shadowable = new Set(['gate', 'transform', 'batch', 'observe']);

/** Checks that the plugin supports what the operator's settings require of it. */
export function instanceProblems(
  written: WrittenInstance,
  manifest: PluginManifest,
  kindOfHook: (hook: string) => string | undefined,
): readonly Problem[] {
  return [
    ...limitProblems(written, manifest, kindOfHook),
    ...bootProblems(written, manifest),
    ...modeProblems(written, manifest, kindOfHook),
  ];
}

function limitProblems(
  { id, limits, placeOf }: WrittenInstance,
  manifest: PluginManifest,
  kindOfHook: (hook: string) => string | undefined,
): readonly Problem[] {
  const tapped = new Set(manifest.taps.map(({ hook }) => hook));
  return Object.keys(limits)
    .filter((hook) => !tapped.has(hook))
    .map((hook) => {
      const message = `plugin ${manifest.id} has no tap at ${hook}${kindOfHook(hook) === undefined ? didYouMean(hook, tapped) : ''}`;
      return makeProblem('TAP_CONFIG_LIMIT_UNKNOWN', `plugins.${id}.limits.${hook}`, message, placeOf('limits', hook));
    });
}

function bootProblems({ id, mayFail, placeOf }: WrittenInstance, manifest: PluginManifest): readonly Problem[] {
  if (!mayFail) return [];
  const isStore = manifest.provides.some((service) => service.id === families.store.id);
  if (!isStore && !manifest.taps.some(({ hook }) => hook === 'reconcile.render')) return [];
  const why = isStore
    ? 'the store: the platform cannot start without it'
    : 'a plugin that taps reconcile.render: objects would be rendered without it';
  const message = `continue is refused for ${why}`;
  return [makeProblem('TAP_CONFIG_BOOT_FAILURE', `plugins.${id}.onBootFailure`, message, placeOf('onBootFailure'))];
}

function modeProblems(
  { id, mode, placeOf }: WrittenInstance,
  manifest: PluginManifest,
  kindOfHook: (hook: string) => string | undefined,
): readonly Problem[] {
  if (mode !== 'shadow') return [];
  const effects = [
    ...manifest.taps.filter(({ hook }) => !shadowable.has(kindOfHook(hook) ?? '')).map(({ hook }) => `its tap at ${hook}`),
    ...manifest.provides.map(({ id }) => `service ${id}`),
    ...Object.entries(manifest.parts)
      .filter(([part, items]) => Array.isArray(items) && items.length > 0 && part !== 'counters' && part !== 'columns')
      .map(([part]) => `its ${part}`),
  ];
  if (effects.length === 0) return [];
  const message = `shadow cannot hold back ${[...new Set(effects)].join(', ')}`;
  return [makeProblem('TAP_CONFIG_MODE', `plugins.${id}.mode`, message, placeOf('mode'))];
}
