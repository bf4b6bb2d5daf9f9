import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { PluginDeclaration } from '@tappaas/sdk';
import { lifecycleErrors, remedyOf, type ProblemCode } from '../errors.js';
import type { PluginManifest } from './manifest.js';
import { declarationOf, type PackageJson } from './record.js';

/** A plugin that can be loaded: its manifest without code, and its code when the time has come. */
export interface PluginSource {
  readonly manifest: PluginManifest;
  /** Real directory of the package; nothing for a plugin from memory. */
  readonly directory: string | undefined;
  /** Its files are worked on in place, as in a workspace: what they are today says nothing about tomorrow. */
  readonly linked: boolean;
  /** @throws TAP_PLUGIN_IMPORT_FAILED, TAP_PLUGIN_NO_EXPORT */
  load(): Promise<PluginDeclaration>;
}

/** Why there is no source. */
export interface NoSource {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

const noSource = (code: ProblemCode, message: string): NoSource => ({ code, message, remedy: remedyOf(code) });

export type FindPackage = (name: string, fromDirectory: string) => Promise<string | undefined>;

/** Looks for `node_modules/<name>` in the directory and above it. */
const findInNodeModules: FindPackage = async (name, fromDirectory) => {
  for (let directory = path.resolve(fromDirectory); ; directory = path.dirname(directory)) {
    const candidate = path.join(directory, 'node_modules', name);
    if ((await readJson(path.join(candidate, 'package.json'))) !== undefined) return candidate;
    if (path.dirname(directory) === directory) return undefined;
  }
};

/** Packages that are installed with the kernel are found also when the configuration lies elsewhere. */
export const findInstalled: FindPackage = async (name, fromDirectory) =>
  (await findInNodeModules(name, fromDirectory)) ?? findInNodeModules(name, path.dirname(fileURLToPath(import.meta.url)));

/** Reads the manifest of the package that `use` names: a package name, or a directory that starts with a dot or a slash. */
export async function readPackageSource(use: string, fromDirectory: string, find: FindPackage): Promise<PluginSource | NoSource> {
  const isDirectory = /^[./]/.test(use);
  const found = isDirectory ? path.resolve(fromDirectory, use) : await find(use, fromDirectory);
  const packageJson = found === undefined ? undefined : ((await readJson(path.join(found, 'package.json'))) as PackageJson | undefined);
  if (found === undefined || packageJson === undefined) {
    const what = isDirectory
      ? `directory ${use} has no package.json, or one that is not JSON`
      : `package ${use} is not installed beside the configuration`;
    return noSource('TAP_PACKAGE_NOT_FOUND', what);
  }
  const file = packageJson.tappaas?.manifest;
  if (file === undefined)
    return noSource('TAP_PACKAGE_NOT_A_PLUGIN', `package ${use} is no plugin: its package.json has no "tappaas.manifest"`);
  const manifest = await readJson(path.join(found, file));
  const wrong = manifestFault(manifest, packageJson);
  if (wrong !== undefined) return noSource('TAP_MANIFEST_INVALID', `manifest ${file} of package ${use} ${wrong}`);
  const directory = await realpath(found);
  return {
    manifest: manifest as PluginManifest,
    directory,
    linked: !directory.split(path.sep).includes('node_modules'),
    load: () => importPlugin(use, directory),
  };
}

function manifestFault(manifest: unknown, packageJson: PackageJson): string | undefined {
  if (manifest === undefined) return 'cannot be read; the package was not built';
  const { manifestVersion, id, taps, config, parts, version } = manifest as Partial<PluginManifest>;
  if (manifestVersion !== 1) return `has version ${String(manifestVersion)}, where 1 was expected`;
  if (typeof id !== 'string' || !Array.isArray(taps) || typeof config !== 'object' || typeof parts !== 'object') return 'is incomplete';
  return version === packageJson.version ? undefined : `was written for version ${version}, but the package is ${packageJson.version}`;
}

async function importPlugin(use: string, directory: string): Promise<PluginDeclaration> {
  const packageJson = await readJson(path.join(directory, 'package.json'));
  const entry = path.join(directory, entryOf(packageJson));
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(entry).href)) as { readonly default?: unknown };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw lifecycleErrors.TAP_PLUGIN_IMPORT_FAILED({ message: `the code of package ${use} cannot be loaded: ${reason}`, cause: error });
  }
  try {
    return declarationOf(module.default);
  } catch {
    throw lifecycleErrors.TAP_PLUGIN_NO_EXPORT({ message: `the default export of package ${use} was not made by definePlugin` });
  }
}

/** The file behind `.`, with the conditions that an import has. */
export function entryOf(packageJson: unknown): string {
  const { exports, main } = packageJson as { readonly exports?: unknown; readonly main?: string };
  const root = typeof exports === 'object' && exports !== null && '.' in exports ? exports['.'] : exports;
  return conditional(root) ?? main ?? 'index.js';
}

function conditional(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (typeof target !== 'object' || target === null) return undefined;
  const met = Object.entries(target).find(([condition]) => ['node', 'import', 'module-sync', 'default'].includes(condition));
  return met === undefined ? undefined : conditional(met[1]);
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}
