import { configuredValues, type ConfiguredValue } from './config/configuration.js';
import { closedSchema } from './config/closed-schema.js';
import { readConfigFiles } from './config/files.js';
import { filePlans } from './lifecycle/plan-source.js';
import type { KernelOptions } from './kernel.js';
import type { JsonSchema, PluginManifest } from './manifest/manifest.js';
import { platformSchema } from './plan/platform-schema.js';
import { unreadableSecrets } from './plan/unreadable-secrets.js';
import { sortedProblems, type Problem } from './problem.js';

/** Options for examining a configuration, which starts nothing and writes nothing. */
export type ReportOptions = Pick<
  KernelOptions,
  'configFile' | 'sections' | 'env' | 'kernelVersion' | 'resolvePackage' | 'services' | 'requires'
>;

/** The result of `tappaas check`. */
export interface ConfigurationReport {
  /** Errors and notes, in file order. */
  readonly problems: readonly Problem[];
  readonly instances: readonly { readonly id: string; readonly manifest: PluginManifest }[];
  /** The order in which the taps of each hook are called, by instance. */
  readonly order: Readonly<Record<string, readonly string[]>>;
}

/** Runs steps 1 to 5 offline: no plugin code runs. */
export async function checkConfiguration(options: ReportOptions): Promise<ConfigurationReport> {
  const { plan, root } = await planOf(options);
  const byHook = Map.groupBy(plan.taps, ({ tap }) => tap.hook);
  return {
    problems: sortedProblems([...plan.problems, ...unreadableSecrets(plan, root)]),
    instances: plan.instances.map(({ id, manifest }) => ({ id, manifest })),
    order: Object.fromEntries([...byHook].map(([hook, taps]) => [hook, taps.map(({ plugin }) => plugin)])),
  };
}

/** Returns the merged configuration and which file set each value: `tappaas config show --origin`. */
export async function showConfiguration(
  options: Pick<ReportOptions, 'configFile'>,
): Promise<{ readonly values: readonly ConfiguredValue[]; readonly problems: readonly Problem[] }> {
  const { node, problems } = await readConfigFiles(options.configFile);
  return { values: configuredValues(node), problems };
}

/** Returns the schema of the configuration file for editors, with the `config` of every used plugin: `tappaas config schema`. */
export async function configurationSchema(options: ReportOptions): Promise<JsonSchema> {
  const { plan } = await planOf(options);
  const manifests = new Map(plan.instances.map(({ use, manifest }) => [use, manifest]));
  return configSchema(manifests, options.sections);
}

/** Makes a JSON Schema (draft 2020-12) in which the schema of `config` depends on `use`. */
function configSchema(manifests: ReadonlyMap<string, PluginManifest>, sections: Readonly<Record<string, object>> = {}): JsonSchema {
  const schema = platformSchema(sections) as { readonly properties: Readonly<Record<string, JsonSchema>> };
  const plugins = schema.properties['plugins'] as { readonly additionalProperties: JsonSchema };
  const known = [...manifests].map(([use, manifest]) => ({
    if: { required: ['use'], properties: { use: { const: use } } },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: { properties: { config: { ...closedSchema(manifest.config), description: manifest.description } } },
  }));
  const instance = { ...plugins.additionalProperties, allOf: known };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'TAPPaaS configuration',
    ...schema,
    properties: { ...schema.properties, plugins: { ...plugins, additionalProperties: instance } },
  };
}

function planOf(options: ReportOptions): ReturnType<ReturnType<typeof filePlans>['plan']> {
  return filePlans(
    options,
    // No secret store is running, so their values are not checked.
    () => new Uint8Array(),
    () => {},
  ).plan();
}
