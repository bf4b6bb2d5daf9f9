import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { entryOf, recordManifest, type PackageJson, type PluginManifest } from '@tappaas/core';
import type { Plugin } from '@tappaas/sdk';

/** The part of package.json that names the manifest. */
const expected = '"tappaas": { "manifest": "dist/tappaas.manifest.json" }';

/**
 * Runs the `setup` of the plugin in a package once and writes what it registers to the file that `package.json#tappaas.manifest` names.
 *
 * @throws Error with a message for the plugin's author
 */
export async function writeManifest(directory: string): Promise<{ readonly file: string; readonly manifest: PluginManifest }> {
  const packageJson = await readPackage(directory);
  const file = packageJson.tappaas?.manifest;
  if (file === undefined) throw new Error(`package.json names no manifest: add ${expected}`);
  const entry = entryOf(packageJson);
  const module = await load(join(directory, entry), entry);
  const manifest = recordManifest(module.default as Plugin, packageJson);
  await writeFile(join(directory, file), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return { file, manifest };
}

/** Summarizes the written manifest in one line. */
export function summaryOf(file: string, { id, version, taps, provides, parts }: PluginManifest): string {
  const counts = [
    `${taps.length} taps`,
    `${provides.length} services`,
    `${parts.kinds.length} kinds`,
    `${parts.controllers.length} controllers`,
  ];
  return `${file}: plugin ${id} ${version}, ${counts.join(', ')}`;
}

async function readPackage(directory: string): Promise<PackageJson> {
  try {
    return JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as PackageJson;
  } catch (cause) {
    throw new Error(`there is no readable package.json in ${directory}: run this in the directory of the plugin`, { cause });
  }
}

async function load(path: string, entry: string): Promise<{ readonly default?: unknown }> {
  try {
    return (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${entry} cannot be loaded, build the package first: ${reason}`, { cause });
  }
}
