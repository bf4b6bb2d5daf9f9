/** What `tsc -b` leaves to do: write the manifest of every plugin of this repository, and make the commands executable. */
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '..');
const core = join(root, 'core/dist');

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly tappaas?: { readonly manifest?: string };
}

/** When the newest of the files below a folder was written; the manifest itself does not count. */
async function newestMs(folder: string, except: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && /\.js(on)?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  const times = await Promise.all(files.filter((file) => file !== except).map(async (file) => (await stat(file)).mtimeMs));
  return Math.max(0, ...times);
}

async function writeManifest(folder: string): Promise<void> {
  const packageFile = join(folder, 'package.json');
  const packageJson = JSON.parse(await readFile(packageFile, 'utf8')) as PackageJson;
  if (packageJson.tappaas?.manifest === undefined) return;
  const file = join(folder, packageJson.tappaas.manifest);
  const writtenMs = await stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const madeMs = Math.max(
    await newestMs(join(folder, 'dist'), file),
    (await stat(packageFile)).mtimeMs,
    await newestMs(join(core, 'kernel/manifest'), file),
  );
  if (writtenMs >= madeMs) return;
  const { recordPackage } = (await import(
    pathToFileURL(join(core, 'kernel/manifest/record-package.js')).href
  )) as typeof import('../core/dist/kernel/manifest/record-package.js');
  await writeFile(file, `${JSON.stringify(await recordPackage(join(folder, 'dist/index.js'), packageJson), null, 2)}\n`);
}

const plugins = (await readdir(join(root, 'plugins'), { withFileTypes: true })).filter((entry) => entry.isDirectory());
for (const { name } of plugins) await writeManifest(join(root, 'plugins', name));
for (const file of [join(core, 'main.js'), join(root, 'sdk/testing/dist/manifest-main.js')]) await chmod(file, 0o755);
