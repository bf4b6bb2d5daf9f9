import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
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
  /**
   * Unpacks into a fresh folder, runs `use` on it and removes it again. When the signal aborts, it stops to unpack and to wait for `use`.
   *
   * @throws CONTROLLER_BUILD_SOURCE_UNKNOWN, and the signal's reason
   */
  unpacked<T>(digest: string, use: (directory: string) => Promise<T>, signal: AbortSignal): Promise<T>;
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
    async unpacked(digest, use, signal) {
      if (!(await has(digest))) throw sourceErrors.CONTROLLER_BUILD_SOURCE_UNKNOWN({ message: `no source ${digest} was uploaded` });
      const directory = join(settings.directory, 'unpacked', randomUUID());
      await mkdir(directory, { recursive: true });
      try {
        await unpack(pathOf(digest), directory, signal);
        return await Promise.race([use(directory), aborted(signal)]);
      } finally {
        // Files that were being written when it was stopped may still appear.
        await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      }
    },
  };
}

function unpack(archive: string, directory: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const source = createReadStream(archive, { signal });
    const files = extract({ cwd: directory, strict: true, preserveOwner: false });
    files.on('close', resolve);
    files.on('error', reject);
    source.on('error', (error) => reject(signal.aborted ? reasonOf(signal) : error));
    source.pipe(files);
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(reasonOf(signal));
    else signal.addEventListener('abort', () => reject(reasonOf(signal)), { once: true });
  });
}

const reasonOf = ({ reason }: AbortSignal): Error => (reason instanceof Error ? reason : new Error(String(reason)));
