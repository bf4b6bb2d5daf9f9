import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { replaceFile } from '@tappaas/sdk/durable-file';
import { extract } from 'tar';
import { inspectArchive, refused, type ArchiveLimits } from './archive-inspection.js';
import { sourceErrors } from './errors.js';
import { isThere } from './is-there.js';
import { createSourceHolders, type Claimant, type IsNeeded } from './source-holders.js';
import type { RoomLimits } from './source-room.js';

/** Uploaded source archives by digest, with the namespaces that they were uploaded for. */
export interface SourceStore {
  /** Whether the caller, or another user of the same tenant, has uploaded it for the namespace. Uploads of others are not disclosed. */
  has(digest: string, claimant: Claimant): Promise<boolean>;
  /**
   * Stores an archive.
   *
   * @throws CONTROLLER_BUILD_DIGEST_MISMATCH, CONTROLLER_BUILD_ARCHIVE_REFUSED, CONTROLLER_BUILD_ARCHIVE_TOO_LARGE,
   * CONTROLLER_BUILD_SOURCES_FULL
   */
  put(digest: string, archive: Uint8Array, claimant: Claimant, isNeeded: IsNeeded): Promise<void>;
  /**
   * Unpacks a source into a new folder, runs `use` on it and removes the folder. Once the signal aborts, it neither unpacks further nor
   * waits for `use`.
   *
   * @throws CONTROLLER_BUILD_SOURCE_UNKNOWN, or the signal's reason
   */
  unpacked<T>(source: SourceOf, use: (directory: string) => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** A source as a Build of a namespace refers to it. */
export interface SourceOf {
  readonly digest: string;
  readonly namespace: string;
}

interface StoreSettings extends ArchiveLimits, RoomLimits {
  readonly directory: string;
}

/**
 * Stores each archive once in `<directory>/sources`, whoever uploaded it, until it has no holder; an archive is inspected completely before
 * it is stored.
 */
export function createSourceStore(settings: StoreSettings): SourceStore {
  const sources = join(settings.directory, 'sources');
  const pathOf = (digest: string) => join(sources, `${digest.slice('sha256:'.length)}.tar.gz`);
  const { directory: root, sentMax, sentBytesMax } = settings;
  const holders = createSourceHolders({
    directory: root,
    sentMax,
    sentBytesMax,
    bytesOf: async (digest) => (await stat(pathOf(digest)).catch(() => undefined))?.size ?? 0,
    unheld: (digest) => rm(pathOf(digest), { force: true }),
  });
  const inTurn = turns();

  return {
    has: async (digest, claimant) => (await holders.isHeldBy(digest, claimant)) && (await isThere(pathOf(digest))),
    async put(digest, archive, claimant, isNeeded) {
      const found = `sha256:${createHash('sha256').update(archive).digest('hex')}`;
      if (found !== digest) {
        throw sourceErrors.CONTROLLER_BUILD_DIGEST_MISMATCH({ message: `the archive has digest ${found}, the path says ${digest}` });
      }
      if (archive.length > sentBytesMax) {
        throw sourceErrors.CONTROLLER_BUILD_ARCHIVE_TOO_LARGE({
          message: `the archive has ${archive.length} bytes, more than is kept of source for one tenant (sentBytesMax is ${sentBytesMax})`,
        });
      }
      await inspectArchive(archive, settings);
      await mkdir(sources, { recursive: true });
      // Sequential, so that an archive is not removed for lack of holders while it is being uploaded.
      await inTurn(async () => {
        await holders.add({ digest, bytes: archive.length }, claimant, isNeeded);
        await replaceFile(pathOf(digest), archive);
      });
    },
    async unpacked({ digest, namespace }, use, signal) {
      if (!(await holders.isFor(digest, namespace)) || !(await isThere(pathOf(digest)))) {
        throw sourceErrors.CONTROLLER_BUILD_SOURCE_UNKNOWN({ message: `no source ${digest} was uploaded for namespace ${namespace}` });
      }
      const directory = join(settings.directory, 'unpacked', randomUUID());
      await mkdir(directory, { recursive: true });
      try {
        await unpack(pathOf(digest), directory, signal);
        return await Promise.race([use(directory), aborted(signal)]);
      } finally {
        // Retries, since files that were being written when it stopped may still appear.
        await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      }
    },
  };
}

/** Runs tasks one after the other; a failure reaches only the task's caller. */
function turns(): (work: () => Promise<void>) => Promise<void> {
  let last = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
}

async function unpack(archive: string, directory: string, signal: AbortSignal): Promise<void> {
  const files = extract({ cwd: directory, strict: true, preserveOwner: false });
  try {
    await pipeline(createReadStream(archive), files, { signal });
  } catch (error) {
    throw signal.aborted ? reasonOf(signal) : unpackFailure(error);
  }
}

/** Errors of the machine, not of the archive: a retry may succeed. */
const transient = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM', 'EIO', 'EROFS', 'EACCES', 'EPERM', 'EBUSY', 'ENOENT']);

function unpackFailure(error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return transient.has(code) ? error : refused(`it cannot be unpacked: ${message}`);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(reasonOf(signal));
    else signal.addEventListener('abort', () => reject(reasonOf(signal)), { once: true });
  });
}

const reasonOf = ({ reason }: AbortSignal): Error => (reason instanceof Error ? reason : new Error(String(reason)));
