import { createMemoryStore, loadKernelFrom, providesStore, recordManifest, type Kernel, type PluginManifest } from '@tappaas/core';
import { families, platformServices, type AnyKind, type Awaitable, type Key, type Plugin } from '@tappaas/sdk';
import { attachDefinition, definitionOf, type PluginDeclaration } from '@tappaas/sdk/definitions';
import { load, type Loaded } from '../../load.js';
import { givenServices, loadedPlugin, startMemoryKernel, version, type MemoryTestKernel } from '../../memory-test-kernel.js';
import { randomFrom } from '../../random.js';
import type { TestKernelOptions } from '../../test-kernel.js';
import { VirtualClock } from '../../virtual-clock.js';
import type { Case } from '../case.js';

/** An object to try a plugin with. */
export interface SampleObject {
  readonly kind: AnyKind;
  /** Default: the platform's. */
  readonly engine?: string;
  /** Key, labels, annotations and fields, such as `spec`, without `metadata`. */
  readonly object: Key & Readonly<Record<string, unknown>>;
}

/** A plugin to be tested, and what it cannot be tested without. */
export interface PluginHarness {
  readonly plugin: Loaded;
  /** Plugins whose services it needs. */
  readonly with?: readonly Loaded[];
  readonly services?: TestKernelOptions['services'];
  readonly env?: TestKernelOptions['env'];
  /** Objects of its own kinds; for the platform's and Kubernetes' own kinds, the kit has some. */
  readonly objects?: readonly SampleObject[];
}

/** Makes the plugin for one case; alone, or with what it needs. */
export type MakePlugin = () => Awaitable<Loaded | PluginHarness>;

type Body = (harness: PluginHarness) => Promise<void>;

/** Turns titles and bodies into cases that each have a plugin of their own. */
export function pluginCases(make: MakePlugin, bodies: Readonly<Record<string, Body>>): readonly Case[] {
  return Object.entries(bodies).map(([title, body]) => ({ title, run: async () => body(harnessOf(await make())) }));
}

function harnessOf(made: Loaded | PluginHarness): PluginHarness {
  return typeof made.plugin === 'object' && 'id' in made && 'config' in made ? { plugin: made } : (made as PluginHarness);
}

/** Starts a kernel with the plugin and what it needs; `config` replaces the plugin's. */
export function startWith(harness: PluginHarness, options: Partial<TestKernelOptions> = {}): Promise<MemoryTestKernel> {
  const { plugin, with: others = [], services, env } = harness;
  return startMemoryKernel({ plugins: [...others, plugin], ...(services ? { services } : {}), ...(env ? { env } : {}), ...options });
}

/** A kernel that has loaded the plugin and has not started: no engines, no store, and resources that refuse. */
export async function loadOnly(
  harness: PluginHarness,
  others: readonly Loaded[] = [],
): Promise<{ readonly kernel: Kernel; readonly clock: VirtualClock }> {
  const clock = new VirtualClock();
  const metrics = { service: platformServices.metrics, value: { text: async () => '' } };
  const audit = { service: platformServices.audit, value: { record: async () => undefined } };
  const credentials = { service: platformServices.credentials, value: { revoked: async () => undefined } };
  const tokens = { service: platformServices.tokens, value: {} };
  const sealing = { service: platformServices.sealing, value: {} };
  const plugins = [...(harness.with ?? []), harness.plugin, ...others].map(loadedPlugin);
  const store = { service: families.store, value: createMemoryStore({ clock }), key: 'conformance-store' };
  const given = givenServices(harness.services ?? []);
  const kernel = await loadKernelFrom({
    plugins,
    services: [metrics, audit, credentials, tokens, sealing, ...(plugins.some(providesStore) ? [] : [store]), ...given],
    clock,
    random: randomFrom(1),
    env: harness.env ?? {},
    log: () => {},
    kernelVersion: version,
    resourcesFor: () => {
      throw new Error('there are no resources');
    },
  });
  return { kernel, clock };
}

/** Runs `body` on a kernel that is stopped afterwards, whatever happened; what does not stop cleanly fails the case. */
export async function onKernel(
  harness: PluginHarness,
  body: (kernel: MemoryTestKernel) => Promise<void>,
  options: Partial<TestKernelOptions> = {},
): Promise<void> {
  await using kernel = await startWith(harness, options);
  await body(kernel);
}

/** The same plugin with another configuration. */
export function configured({ id, plugin, options }: Loaded, config: unknown): Loaded {
  return load(plugin as Plugin<never>, config, { ...options, id });
}

/** What stands behind a plugin. */
export function declarationOf({ id, plugin }: Loaded): PluginDeclaration {
  const declaration = definitionOf(plugin, 'plugin');
  if (declaration === undefined) throw new TypeError(`${id} was not made by definePlugin`);
  return declaration;
}

/** What the plugin registers with a configuration. @throws TypeError when it is no valid one */
export function recordWith(loaded: Loaded, example: unknown): PluginManifest {
  return recordManifest(declaredAs(loaded.plugin.id, { ...declarationOf(loaded), example }), {});
}

/** A plugin of which this stands behind the handle. */
export function declaredAs(id: string, declaration: PluginDeclaration): Plugin {
  return attachDefinition({ $type: 'tappaas/plugin' as const, id }, 'plugin', declaration);
}
