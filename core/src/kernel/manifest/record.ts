import { definitionOf } from '@tappaas/sdk/definitions';
import type { Plugin, PluginDeclaration } from '@tappaas/sdk';
import { closedSchema } from '../config/closed-schema.js';
import { nodeOf } from '../config/node.js';
import { checkValue } from '../config/schema-check.js';
import { unreadableSecret } from '../config/secret-source.js';
import { freezePlain } from '../hooks/frozen.js';
import { formatProblem } from '../problem.js';
import { impureHandle } from '../services/impure-handle.js';
import { runSetup } from '../setup/run-setup.js';
import { describeNeeds, describePermissions } from './describe.js';
import type { ManifestError, PluginManifest } from './manifest.js';

/** The members of a package.json that the recorder reads. */
export interface PackageJson {
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly tappaas?: { readonly manifest?: string; readonly kernel?: string };
}

/** Runs a plugin's `setup` once with its example configuration and records what it registers. No other function of the plugin runs. */
export function recordManifest(plugin: Plugin, packageJson: PackageJson, errors: readonly ManifestError[] = []): PluginManifest {
  const declaration = declarationOf(plugin);
  const config = closedSchema(declaration.config, `config of plugin ${declaration.id}`);
  const { description } = runSetup({
    declaration,
    instance: declaration.id,
    config: exampleOf(declaration, config),
    services: impureServices(declaration),
    devices: { connectEngine: () => Promise.reject(new Error('nothing is served while recording')), counter: () => () => {} },
  });
  return {
    manifestVersion: 1,
    id: declaration.id,
    package: packageJson.name ?? declaration.id,
    version: packageJson.version ?? '0.0.0',
    description: packageJson.description ?? '',
    stability: declaration.stability,
    kernel: packageJson.tappaas?.kernel ?? sdkRange(packageJson),
    config,
    permissions: describePermissions(declaration.permissions),
    needs: describeNeeds(declaration.needs),
    provides: description.provides,
    taps: description.taps,
    parts: description.parts,
    errors,
  };
}

/** @throws TypeError when the value was not made by `definePlugin`. */
export function declarationOf(plugin: unknown): PluginDeclaration {
  const declaration = definitionOf(plugin, 'plugin');
  if (declaration === undefined) throw new TypeError('the default export was not made by definePlugin');
  return declaration;
}

function exampleOf(declaration: PluginDeclaration, schema: PluginManifest['config']): unknown {
  const { value, problems } = checkValue(nodeOf(declaration.example), schema, ['example'], unreadableSecret);
  if (problems.length > 0) {
    throw new TypeError(`the example of plugin ${declaration.id} does not fit its config: ${problems.map(formatProblem).join('; ')}`);
  }
  return freezePlain(value);
}

function impureServices(declaration: PluginDeclaration): Readonly<Record<string, unknown>> {
  const handles = Object.entries(declaration.needs).map(([as, service]) => {
    const unmet = service.optional && service.arity === 'one';
    return [as, unmet ? undefined : impureHandle(declaration.id, service.id)] as const;
  });
  return Object.freeze(Object.fromEntries(handles));
}

const sdkRange = ({ peerDependencies, dependencies }: PackageJson): string =>
  peerDependencies?.['@tappaas/sdk'] ?? dependencies?.['@tappaas/sdk'] ?? '*';
