import { join } from 'node:path';
import { lstat } from 'node:fs/promises';

/** A layer that is malformed or tries to leave its directory; the whole image is refused. */
export class LayerRefused extends Error {
  override readonly name = 'LayerRefused';
}

/**
 * Splits the name of an entry into path segments below the root. @throws LayerRefused when the name leads above the root or contains NUL
 */
export function entryParts(name: string): readonly string[] {
  if (name.includes('\0')) throw new LayerRefused('an entry has a NUL in its name');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new LayerRefused(`entry "${name}" points outside the image`);
  return parts;
}

/**
 * Returns the path of an entry on disk.
 *
 * Every folder on the way must be a real directory: a symbolic link, even one from an earlier layer, could lead anywhere and is refused.
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
 * Returns the on-disk target of an image's symbolic link. An absolute target is relative to the image's root, so it is rewritten to a
 * relative one.
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
