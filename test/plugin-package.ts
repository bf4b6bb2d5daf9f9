/** A plugin that a test writes beside a configuration, as an operator would put one there. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordPackage } from '../core/dist/kernel/manifest/record-package.js';

/** Writes a package with its manifest below `directory`; answers what `use` names it by. */
export async function writePlugin(directory: string, name: string, code: string, version = '1.0.0'): Promise<string> {
  const folder = join(directory, name);
  const packageJson = {
    name: `@test/${name}`,
    version,
    type: 'module',
    exports: './index.js',
    tappaas: { manifest: 'tappaas.manifest.json' },
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify(packageJson));
  await writeFile(join(folder, 'index.js'), code);
  await writeFile(join(folder, 'tappaas.manifest.json'), JSON.stringify(await recordPackage(join(folder, 'index.js'), packageJson)));
  return `./${name}`;
}

/** The code of an authorizer that lets members of a group do everything. */
export const groupMayEverything = (group: string): string => `
import { definePlugin, families } from '@tappaas/sdk';
export default definePlugin({
  id: 'group-authorizer',
  setup(host) {
    host.provide(families.authorizer, () => ({
      authorize: ({ caller }) =>
        caller.groups.includes('${group}') ? { decision: 'allow', reason: '' } : { decision: 'no-opinion', reason: 'not in ${group}' },
    }));
  },
});
`;
