import { hooks, type HookDeclaration } from '@tappaas/sdk';
import { definitionOf } from '@tappaas/sdk/definitions';
import satisfies from 'semver/functions/satisfies.js';
import { didYouMean } from '../config/nearest-name.js';
import type { ProblemCode } from '../errors.js';
import type { PluginManifest } from './manifest.js';

/** Returns all hooks of the platform. */
export function platformHooks(): readonly HookDeclaration[] {
  return Object.values(hooks)
    .flatMap((family) => Object.values(family) as readonly unknown[])
    .map((hook) => definitionOf(hook, 'hook'))
    .filter((declaration) => declaration !== undefined);
}

export interface Incompatibility {
  readonly code: ProblemCode;
  readonly message: string;
}

/** Returns why a plugin is incompatible with this kernel, judged by its manifest alone. */
export function incompatibilities(
  manifest: PluginManifest,
  kernelVersion: string,
  known: ReadonlyMap<string, HookDeclaration>,
): readonly Incompatibility[] {
  const found: Incompatibility[] = [];
  if (!satisfies(kernelVersion, manifest.kernel, { includePrerelease: true })) {
    const message = `plugin ${manifest.id} ${manifest.version} is made for kernel ${manifest.kernel}, this is ${kernelVersion}`;
    found.push({ code: 'TAP_MANIFEST_KERNEL_RANGE', message });
  }
  for (const { hook, contract } of manifest.taps) {
    const declaration = known.get(hook);
    if (declaration === undefined) {
      const message = `plugin ${manifest.id} taps hook ${hook}, which this kernel does not have${didYouMean(hook, known.keys())}`;
      found.push({ code: 'TAP_MANIFEST_HOOK_UNKNOWN', message });
    } else if (declaration.contract !== contract) {
      const message = `plugin ${manifest.id} taps version ${contract} of hook ${hook}, this kernel has version ${declaration.contract}`;
      found.push({ code: 'TAP_MANIFEST_HOOK_VERSION', message });
    }
  }
  return found;
}
