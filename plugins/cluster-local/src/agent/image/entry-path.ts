import { join } from 'node:path';
import { lstat } from 'node:fs/promises';

/** A layer that tries to reach outside its directory, or is malformed: the image is refused as a whole. */
export class LayerRefused extends Error {
  override readonly name = 'LayerRefused';
}

/** The parts of an entry's name below the root. @throws LayerRefused when it points above it or is no path. */
export function entryParts(name: string): readonly string[] {
  if (name.includes('\0')) throw new LayerRefused('an entry has a NUL in its name');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new LayerRefused(`entry "${name}" points outside the image`);
  return parts;
}

/**
 * The path of an entry on disk.
 *
 * Its folders must be real folders: one that is a symbolic link could lead anywhere, so it is refused, also when an earlier layer put
 * it there.
 *
 * @throws LayerRefused
 */
export async function entryPath(root: string, parts: readonly string[]): Promise<string> {
  let path = root;
  for (const part of parts.slice(0, -1)) {
    path = join(path, part);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink()) throw new LayerRefused(`entry "${parts.join('/')}" goes through the symbolic link "${part}"`);
    if (found !== undefined && !found.isDirectory())
      throw new LayerRefused(`entry "${parts.join('/')}" goes through "${part}", which is a file`);
  }
  return join(root, ...parts);
}

/**
 * What a symbolic link of an image says on disk. An absolute target means the image's root, so it becomes relative.
 *
 * @throws LayerRefused when it leads outside the root.
 */
export function linkTarget(parts: readonly string[], target: string): string {
  if (target.includes('\0')) throw new LayerRefused(`link "${parts.join('/')}" has a NUL in its target`);
  const folder = parts.slice(0, -1);
  const resolved: string[] = target.startsWith('/') ? [] : [...folder];
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (resolved.pop() === undefined) throw new LayerRefused(`link "${parts.join('/')}" leads outside the image: "${target}"`);
    } else resolved.push(part);
  }
  if (!target.startsWith('/')) return target;
  return [...folder.map(() => '..'), ...resolved].join('/') || '.';
}
