import { pathToFileURL } from 'node:url';
import { recordingErrors } from '@tappaas/sdk/definitions';
import type { Plugin } from '@tappaas/sdk';
import type { ManifestError, PluginManifest } from './manifest.js';
import { recordManifest, type PackageJson } from './record.js';

/**
 * Loads a built plugin and records its manifest, including the error codes that it defines. For builds only, because the plugin's code
 * runs.
 *
 * @throws TypeError when the package exports no plugin, its example is invalid, or it defines codes outside its prefix.
 */
export async function recordPackage(entryFile: string, packageJson: PackageJson): Promise<PluginManifest> {
  const { result, errors } = await recordingErrors(() => import(pathToFileURL(entryFile).href) as Promise<{ readonly default: Plugin }>);
  const manifest = recordManifest(result.default, packageJson);
  const prefix = `${manifest.id.replaceAll('-', '_').toUpperCase()}_`;
  const isOurs = manifest.package.startsWith('@tappaas/');
  const foreign = Object.keys(errors).find((code) => !code.startsWith(prefix) && !(isOurs && code.startsWith('TAP_')));
  if (foreign !== undefined) throw new TypeError(`plugin ${manifest.id} defines error code ${foreign}; its codes start with ${prefix}`);
  const codes = Object.entries(errors).map(([code, { httpStatus, blame, retry, remedy }]): ManifestError => ({
    code,
    httpStatus,
    blame,
    retry,
    remedy,
  }));
  return { ...manifest, errors: codes };
}
