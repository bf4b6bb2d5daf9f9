import { access, cp, mkdir, readdir, rename, stat } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '@tappaas/sdk/durable-file';
import { readJson } from '../json-file.js';
import { remove } from '../removal.js';
import { LayerRefused } from './entry-path.js';
import { findImage, type ImageConfig } from './layout.js';
import { unpackLayers, type UnpackLimits } from './unpack.js';

/** An image that can run here. */
export interface LocalImage {
  /** Absent for the image `process`, whose commands are programs of the host. */
  readonly root?: string;
  readonly config: ImageConfig;
  readonly imageId: string;
}

/** An image, or the reason why it cannot run here. */
export type Found = { readonly image: LocalImage } | { readonly image?: undefined; readonly reason: string; readonly message: string };

/** The image name that means no image: the command is a program of the host. */
const hostImage = 'process';

const limits: UnpackLimits = { entriesMax: 500_000, bytesMax: 8 * 1024 ** 3 };

/** Paths that show that an image brings its own operating system, so that it needs a container runtime. */
const systemPaths = ['etc/os-release', 'usr/lib/os-release', 'bin/sh', 'usr/bin/env'];

/** Images unpacked below the agent's directory, once per digest; containers run on copies. */
export class ImageStore {
  readonly #layout: string;
  readonly #directory: string;
  readonly #underWay = new Map<string, Promise<Found>>();

  constructor(layout: string, directory: string) {
    this.#layout = layout;
    this.#directory = directory;
  }

  /** Removes images that a crash left partially unpacked. */
  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#directory)) if (name.endsWith('.new')) await remove(join(this.#directory, name));
  }

  /** Finds an image, and unpacks it on first use. Concurrent calls for the same name share the work. */
  async find(name: string): Promise<Found> {
    if (name === hostImage) return { image: { config: {}, imageId: hostImage } };
    const present = this.#underWay.get(name);
    if (present) return present;
    const finding = this.#find(name).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, finding);
    return finding;
  }

  async #find(name: string): Promise<Found> {
    try {
      const found = await findImage(this.#layout, name);
      if (found === undefined) return needsRuntime(name, `is not in the images directory ${this.#layout}`);
      const folder = join(this.#directory, found.digest.replace(':', '-'));
      const root = join(folder, 'root');
      if ((await readJson(join(folder, 'done.json'))) === undefined) {
        const scratch = `${folder}.new`;
        await remove(scratch);
        await mkdir(join(scratch, 'root'), { recursive: true, mode: 0o700 });
        await unpackLayers(this.#layout, found.layers, join(scratch, 'root'), limits);
        await remove(folder);
        await replaceFile(join(scratch, 'done.json'), JSON.stringify({ digest: found.digest }));
        await rename(scratch, folder);
      }
      const system = await firstPresent(root);
      if (system !== undefined) return needsRuntime(name, `brings an operating system of its own (${system})`);
      return { image: { root, config: found.config, imageId: found.digest } };
    } catch (error) {
      const reason = error instanceof LayerRefused ? 'ImageRefused' : 'ImageUnusable';
      return { reason, message: `image "${name}": ${error instanceof Error ? error.message : String(error)}` };
    }
  }

  /** Creates a writable copy of an image for a container; file contents are shared where the file system supports reflinks. */
  async copy(image: LocalImage, target: string): Promise<void> {
    if (image.root === undefined || (await stat(target).catch(() => undefined))) return;
    const scratch = `${target}.new`;
    await remove(scratch);
    await cp(image.root, scratch, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
    await rename(scratch, target);
  }
}

async function firstPresent(root: string): Promise<string | undefined> {
  for (const path of systemPaths) {
    const isThere = await access(join(root, path)).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

const needsRuntime = (name: string, why: string): Found => ({
  reason: 'ImageNeedsContainerRuntime',
  message:
    `image "${name}" ${why}; pods of this cluster are local processes. ` +
    'Deploy source that the platform builds, load a plugin with a container runtime, or choose another cluster.',
});
