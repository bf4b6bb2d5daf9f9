import { mkdir, stat, symlink } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import type { Container, Immutable } from '@tappaas/sdk';
import { expanded } from '../pod/environment.js';
import { entryParts, entryPath } from '../image/entry-path.js';
import { remove } from '../removal.js';
import type { Mount } from './mount-plan.js';

/** Where a container's files are. */
export interface ContainerPlace {
  /** Copy of the image's files; absent for programs of the host. */
  readonly root?: string;
  /** Working directory, as a path inside the container. */
  readonly workingDirectory: string;
  readonly volumesDirectory: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** The mounts of a container, at absolute paths: its volumes, and its working directory in the image's copy. */
export async function mountsOf(container: Immutable<Container>, place: ContainerPlace): Promise<readonly Mount[]> {
  const mounts: Mount[] = [];
  const { root, workingDirectory } = place;
  if (root !== undefined && workingDirectory !== '/') {
    mounts.push({ source: join(root, workingDirectory), target: workingDirectory, readOnly: false, isFile: false });
  }
  for (const mount of container.volumeMounts ?? []) {
    const below = entryParts(mount.subPathExpr === undefined ? (mount.subPath ?? '') : expanded(mount.subPathExpr, place.variables));
    const source = await sourceOf(join(place.volumesDirectory, mount.name), below);
    const isFile = (await stat(source)).isFile();
    mounts.push({ source, target: normalize(mount.mountPath).replace(/(.)\/$/, '$1'), readOnly: mount.readOnly === true, isFile });
  }
  return mounts;
}

/** Creates a missing subPath as a directory, as a kubelet does. */
async function sourceOf(volume: string, below: readonly string[]): Promise<string> {
  if (below.length === 0) return volume;
  const isFiles = await stat(join(volume, '..data')).catch(() => undefined);
  if (isFiles) return join(volume, '..data', ...below);
  const path = await entryPath(volume, below);
  await mkdir(path, { recursive: true });
  return path;
}

/**
 * Makes the mounts visible inside the image's copy by symbolic links, so that programs find them by paths relative to their working
 * directory, without a namespace. Returns the targets outside the copy, which only a namespace can provide.
 */
export async function mapMounts(mounts: readonly Mount[], place: ContainerPlace): Promise<readonly string[]> {
  const { root, workingDirectory } = place;
  const outside: string[] = [];
  for (const { source, target } of mounts) {
    if (target === workingDirectory) continue;
    const isInside = root !== undefined && target.startsWith(workingDirectory === '/' ? '/' : `${workingDirectory}/`);
    if (!isInside) {
      outside.push(target);
      continue;
    }
    const path = await entryPath(root, entryParts(target));
    await mkdir(dirname(path), { recursive: true });
    await remove(path);
    await symlink(source, path);
  }
  return outside;
}

/** Creates the mount points of mounts that lie below another mount. */
export async function makePlaces(mounts: readonly Mount[]): Promise<void> {
  for (const inner of mounts) {
    const outer = mounts
      .filter(({ target }) => inner.target.startsWith(`${target}/`))
      .toSorted((a, b) => b.target.length - a.target.length)[0];
    if (!outer) continue;
    const path = await entryPath(outer.source, entryParts(inner.target.slice(outer.target.length)));
    await mkdir(inner.isFile ? dirname(path) : path, { recursive: true });
  }
}
