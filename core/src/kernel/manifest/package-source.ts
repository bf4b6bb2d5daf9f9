import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { PluginDeclaration } from '@tappaas/sdk';
import { lifecycleErrors, remedyOf, type ProblemCode } from '../errors.js';
import type { PluginManifest } from './manifest.js';
import { declarationOf, type PackageJson } from './record.js';

/** A loadable plugin: its manifest, read without running code, and a function that loads its code. */
export interface PluginSource {
  readonly manifest: PluginManifest;
  /** Real path of the package directory; undefined for a plugin in memory. */
  readonly directory: string | undefined;
  /** Whether its files are edited in place, as in a workspace, so that their digest is meaningless. */
  readonly linked: boolean;
  /** @throws TAP_PLUGIN_IMPORT_FAILED, TAP_PLUGIN_NO_EXPORT */
  load(): Promise<PluginDeclaration>;
}

/** Why a package cannot be used. */
export interface NoSource {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

const noSource = (code: ProblemCode, message: string): NoSource => ({ code, message, remedy: remedyOf(code) });

export type FindPackage = (name: string, fromDirectory: string) => Promise<string | undefined>;

/** Looks for `node_modules/<name>` in the directory and its parents. */
const findInNodeModules: FindPackage = async (name, fromDirectory) => {
  for (let directory = path.resolve(fromDirectory); ; directory = path.dirname(directory)) {
    const candidate = path.join(directory, 'node_modules', name);
    if ((await readJson(path.join(candidate, 'package.json'))) !== undefined) return candidate;
    if (path.dirname(directory) === directory) return undefined;
  }
};

/** Also finds packages that are installed with the kernel, when the configuration is elsewhere. */
export const findInstalled: FindPackage = async (name, fromDirectory) =>
  (await findInNodeModules(name, fromDirectory)) ?? findInNodeModules(name, path.dirname(fileURLToPath(import.meta.url)));

/** Reads the manifest of the package in `use`: a package name, or a directory that starts with a dot or a slash. */
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

/** Returns the entry file of a package, resolved with the conditions of an import. */
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
