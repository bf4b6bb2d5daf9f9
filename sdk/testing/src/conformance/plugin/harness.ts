import { createMemoryStore, loadKernelFrom, providesStore, recordManifest, type Kernel, type PluginManifest } from '@tappaas/core';
import { families, platformServices, type AnyKind, type Awaitable, type Key, type Plugin } from '@tappaas/sdk';
import { attachDefinition, definitionOf, type PluginDeclaration } from '@tappaas/sdk/definitions';
import type { Loaded } from '../../load.js';
import { givenServices, loadedPlugin, startMemoryKernel, version, type MemoryTestKernel } from '../../memory-test-kernel.js';
import { randomFrom } from '../../random.js';
import type { TestKernelOptions } from '../../test-kernel.js';
import { VirtualClock } from '../../virtual-clock.js';
import type { Case } from '../case.js';

/** An object that plugins are tested with. */
export interface SampleObject {
  readonly kind: AnyKind;
  /** Engine of the kind. Default: the platform's. */
  readonly engine?: string;
  /** Key, labels, annotations and the other fields, such as `spec`; `metadata` itself is left out. */
  readonly object: Key & Readonly<Record<string, unknown>>;
}

/** A plugin under test, and what it needs. */
export interface PluginHarness {
  readonly plugin: Loaded;
  /** Plugins whose services the plugin under test needs. */
  readonly with?: readonly Loaded[];
  readonly services?: TestKernelOptions['services'];
  readonly env?: TestKernelOptions['env'];
  /** Objects of the plugin's own kinds; the kit has samples of the platform's and Kubernetes' kinds. */
  readonly objects?: readonly SampleObject[];
}

/** Creates the plugin for one case, alone or in a harness. */
export type MakePlugin = () => Awaitable<Loaded | PluginHarness>;

type Body = (harness: PluginHarness) => Promise<void>;

/** Creates cases from titles and bodies, each with a new plugin. */
export function pluginCases(make: MakePlugin, bodies: Readonly<Record<string, Body>>): readonly Case[] {
  return Object.entries(bodies).map(([title, body]) => ({ title, run: async () => body(harnessOf(await make())) }));
}

function harnessOf(made: Loaded | PluginHarness): PluginHarness {
  return typeof made.plugin === 'object' && 'id' in made && 'config' in made ? { plugin: made } : (made as PluginHarness);
}

/** Starts a kernel with the plugin and what it needs; `options` override the harness. */
export function startWith(harness: PluginHarness, options: Partial<TestKernelOptions> = {}): Promise<MemoryTestKernel> {
  const { plugin, with: others = [], services, env } = harness;
  return startMemoryKernel({ plugins: [...others, plugin], ...(services ? { services } : {}), ...(env ? { env } : {}), ...options });
}

/** Loads a kernel with the plugin without starting it: it has no engines, and accessing resources throws. */
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

/** Runs `body` on a kernel that is stopped afterwards in any case; an unclean stop fails the case. */
export async function onKernel(
  harness: PluginHarness,
  body: (kernel: MemoryTestKernel) => Promise<void>,
  options: Partial<TestKernelOptions> = {},
): Promise<void> {
  await using kernel = await startWith(harness, options);
  await body(kernel);
}

/** The same plugin with another configuration. */
export function configured(loaded: Loaded, config: unknown): Loaded {
  return { ...loaded, config };
}

/** Returns the declaration behind a plugin's handle. */
export function declarationOf({ id, plugin }: Loaded): PluginDeclaration {
  const declaration = definitionOf(plugin, 'plugin');
  if (declaration === undefined) throw new TypeError(`${id} was not made by definePlugin`);
  return declaration;
}

/** Records what the plugin registers with a configuration. @throws TypeError when the configuration is invalid */
export function recordWith(loaded: Loaded, example: unknown): PluginManifest {
  return recordManifest(declaredAs(loaded.plugin.id, { ...declarationOf(loaded), example }), {});
}

/** A plugin with the given declaration. */
export function declaredAs(id: string, declaration: PluginDeclaration): Plugin {
  return attachDefinition({ $type: 'tappaas/plugin' as const, id }, 'plugin', declaration);
}
