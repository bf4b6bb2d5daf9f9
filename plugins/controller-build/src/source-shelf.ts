import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '@tappaas/sdk/durable-file';
import { extract } from 'tar';
import { inspectArchive, type ArchiveLimits } from './archive-inspection.js';
import { sourceErrors } from './errors.js';

/** Uploaded source archives by digest. */
export interface SourceShelf {
  has(digest: string): Promise<boolean>;
  /** @throws CONTROLLER_BUILD_DIGEST_MISMATCH, CONTROLLER_BUILD_ARCHIVE_REFUSED, CONTROLLER_BUILD_ARCHIVE_TOO_LARGE */
  put(digest: string, archive: Uint8Array): Promise<void>;
  /** Unpacks into a fresh folder, runs `use` on it and removes it again. @throws CONTROLLER_BUILD_SOURCE_UNKNOWN */
  unpacked<T>(digest: string, use: (directory: string) => Promise<T>): Promise<T>;
}

/** Keeps archives in `<directory>/sources`; what is kept was inspected whole before. */
export function createSourceShelf(settings: ArchiveLimits & { readonly directory: string }): SourceShelf {
  const sources = join(settings.directory, 'sources');
  const pathOf = (digest: string) => join(sources, `${digest.slice('sha256:'.length)}.tar.gz`);
  const has = (digest: string) =>
    access(pathOf(digest)).then(
      () => true,
      () => false,
    );

  return {
    has,
    async put(digest, archive) {
      const found = `sha256:${createHash('sha256').update(archive).digest('hex')}`;
      if (found !== digest) {
        throw sourceErrors.CONTROLLER_BUILD_DIGEST_MISMATCH({ message: `the archive has digest ${found}, the path says ${digest}` });
      }
      await inspectArchive(archive, settings);
      await mkdir(sources, { recursive: true });
      await replaceFile(pathOf(digest), archive);
    },
    async unpacked(digest, use) {
      if (!(await has(digest))) throw sourceErrors.CONTROLLER_BUILD_SOURCE_UNKNOWN({ message: `no source ${digest} was uploaded` });
      const directory = join(settings.directory, 'unpacked', randomUUID());
      await mkdir(directory, { recursive: true });
      try {
        await extract({ file: pathOf(digest), cwd: directory, strict: true, preserveOwner: false });
        return await use(directory);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  };
}
