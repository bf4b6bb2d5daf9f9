import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether package.json has dependencies but the source has no node_modules. */
export async function lacksModules(directory: string): Promise<boolean> {
  if (await stat(join(directory, 'node_modules')).catch(() => undefined)) return false;
  try {
    const { dependencies } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as { readonly dependencies?: object };
    return Object.keys(dependencies ?? {}).length > 0;
  } catch {
    return false;
  }
}
