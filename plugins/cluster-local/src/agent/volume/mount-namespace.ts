import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { planMounts, type HostView, type Mount } from './mount-plan.js';

const run = promisify(execFile);

/** The host's file system, for planning mounts. */
const hostView: HostView = {
  list(path) {
    try {
      const entries = readdirSync(path, { withFileTypes: true });
      return new Map(
        entries.map((entry) => {
          const full = join(path, entry.name);
          if (!entry.isSymbolicLink()) return [entry.name, { isDirectory: entry.isDirectory() }];
          return [
            entry.name,
            { isDirectory: statSync(full, { throwIfNoEntry: false })?.isDirectory() === true, linkTarget: readlinkSync(full) },
          ];
        }),
      );
    } catch {
      return undefined;
    }
  },
};

/** Builds the new root from mount steps, changes root into it and runs the command. */
const script = `
set -e
stage=$1 cwd=$2 path=$PATH
PATH=/usr/sbin:/usr/bin:/sbin:/bin
shift 2
mount -t tmpfs -o mode=755 tmpfs "$stage"
while [ "$1" != run ]; do
  case $1 in
    dir) mkdir -p "$stage$2"; shift 2 ;;
    bind) mkdir -p "$stage$3"; mount --rbind "$2" "$stage$3"; shift 3 ;;
    file) mkdir -p "$(dirname "$stage$3")"; [ -e "$stage$3" ] || : > "$stage$3"; mount --bind "$2" "$stage$3"; shift 3 ;;
    link) mkdir -p "$(dirname "$stage$3")"; ln -s "$2" "$stage$3"; shift 3 ;;
    ro) mount -o remount,bind,ro "$stage$2"; shift 2 ;;
  esac
done
shift
exec chroot "$stage" /bin/sh -c 'cd "$0" && PATH=$1 && shift && exec "$@"' "$cwd" "$path" "$@"
`;

const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin'];

/** Path of the program `unshare`; its bare name if it is in none of the usual folders. */
function unshare(): string {
  return folders.map((folder) => join(folder, 'unshare')).find((path) => existsSync(path)) ?? 'unshare';
}

/**
 * Commands that create a mount namespace: directly as root; otherwise in a user namespace, in which the user's own id is mapped back
 * afterwards.
 */
function ways(): { readonly into: readonly [string, ...string[]]; readonly back: readonly string[] } {
  const [user, group] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  if (user === 0) return { into: [unshare(), '--mount', '--propagation', 'private'], back: [] };
  return {
    into: [unshare(), '--user', '--map-root-user', '--mount', '--propagation', 'private'],
    back: [unshare(), '--user', `--map-user=${user}`, `--map-group=${group}`, '--'],
  };
}

/** The command prefix that runs a command with the mounts in place. `stage` is an empty directory for the new root. */
export async function namespacePrefix(mounts: readonly Mount[], stage: string, cwd: string): Promise<readonly [string, ...string[]]> {
  await mkdir(stage, { recursive: true, mode: 0o755 });
  const { into, back } = ways();
  const steps = planMounts(mounts, hostView).flat();
  return [...into, '/bin/sh', '-c', script, 'tappaas-mounts', stage, cwd, ...steps, 'run', ...back];
}

/** Why this host does not allow mount namespaces; undefined when it does. */
export async function namespaceObstacle(scratch: string): Promise<string | undefined> {
  if (process.platform !== 'linux') return `this is ${process.platform}: mount namespaces exist on Linux only`;
  try {
    const [command, ...args] = [...(await namespacePrefix([], scratch, '/')), 'true'];
    await run(command, args, { timeout: 10_000 });
    return undefined;
  } catch (error) {
    const text = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? '';
    return `the host does not allow mount namespaces (${text === '' ? (error as Error).message.split('\n')[0] : text})`;
  }
}
