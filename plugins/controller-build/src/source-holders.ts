import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Caller } from '@tappaas/sdk';
import { createFile, replaceFile } from '@tappaas/sdk/durable-file';
import { sourceErrors } from './errors.js';
import { isThere } from './is-there.js';
import { roomFor, type Room, type RoomLimits, type SentSource } from './source-room.js';

/** A namespace, and the caller who uploads a source for it or asks about one. */
export interface Claimant {
  readonly namespace: string;
  readonly caller: Pick<Caller, 'name' | 'tenant'>;
}

/** Records which tenant, or user without one, has uploaded which source for which namespace. */
export interface SourceHolders {
  /** Whether the caller, or another user of the same tenant, has uploaded it for the namespace. */
  isHeldBy(digest: string, claimant: Claimant): Promise<boolean>;
  /** Whether anyone has uploaded it for the namespace. */
  isFor(digest: string, namespace: string): Promise<boolean>;
  /**
   * Records an upload. If the claimant's limits would be exceeded, the oldest uploads that no build needs are removed first. Calls must not
   * overlap.
   *
   * @throws CONTROLLER_BUILD_SOURCES_FULL
   */
  add(added: Added, claimant: Claimant, isNeeded: IsNeeded): Promise<void>;
}

/** An uploaded archive. */
export interface Added {
  readonly digest: string;
  readonly bytes: number;
}

/** Whether a build that has not ended uses a source. */
export type IsNeeded = (source: { readonly digest: string; readonly namespace: string }) => Promise<boolean>;

interface HolderSettings extends RoomLimits {
  readonly directory: string;
  /** Size of a stored archive; 0 if it is not stored. */
  readonly bytesOf: (digest: string) => Promise<number>;
  /** Called when the last holder of a source is removed; called again after a crash in between. */
  readonly unheld: (digest: string) => Promise<void>;
}

const algorithm = 'sha256:';

/**
 * Stores two empty files per upload: `holders/<digest>/<namespace>/<who>`, and `sent/<who>/<digest>.<namespace>`, which exists from before
 * the first until after it is removed, and whose age determines the order of removal. `<who>` is a hash; namespaces are DNS labels.
 */
export function createSourceHolders({ directory, bytesOf, unheld, ...limits }: HolderSettings): SourceHolders {
  const digestFolder = (hash: string) => join(directory, 'holders', hash);
  const folderOf = (digest: string, namespace: string) => join(digestFolder(hashOf(digest)), namespace);
  const fileOf = (digest: string, { namespace, caller }: Claimant) => join(folderOf(digest, namespace), holderOf(caller));

  const remove = async (sent: string, holder: string): Promise<void> => {
    const [hash = '', namespace = ''] = sent.split('.');
    const folder = join(digestFolder(hash), namespace);
    await rm(join(folder, holder), { force: true });
    if ((await isRemoved(folder)) && (await isRemoved(digestFolder(hash)))) await unheld(`${algorithm}${hash}`);
    await rm(join(directory, 'sent', holder, sent), { force: true });
  };

  return {
    isHeldBy: (digest, claimant) => isThere(fileOf(digest, claimant)),
    isFor: (digest, namespace) => isThere(folderOf(digest, namespace)),
    async add({ digest, bytes }, claimant, isNeeded) {
      const holder = holderOf(claimant.caller);
      const [own, name] = [join(directory, 'sent', holder), `${hashOf(digest)}.${claimant.namespace}`];
      await mkdir(own, { recursive: true });
      const others = (await readdir(own)).filter((each) => each !== name);
      const sent = await Promise.all(others.map((each) => sentOf(own, each)));
      const room = await roomFor({ hash: hashOf(digest), bytes }, sent, limits, ({ hash, namespace }) =>
        isNeeded({ digest: `${algorithm}${hash}`, namespace }),
      );
      if (!room.isEnough) throw full(bytes, room, limits);
      for (const each of room.leaving) await remove(each, holder);
      await replaceFile(join(own, name), '');
      await mkdir(folderOf(digest, claimant.namespace), { recursive: true });
      await createFile(fileOf(digest, claimant), '');
    },
  };

  async function sentOf(own: string, name: string): Promise<SentSource> {
    const [hash = '', namespace = ''] = name.split('.');
    const [{ mtimeMs: atMs }, bytes] = await Promise.all([stat(join(own, name)), bytesOf(`${algorithm}${hash}`)]);
    return { name, hash, namespace, atMs, bytes };
  }
}

function full(bytes: number, { stored, storedBytes }: Extract<Room, { isEnough: false }>, { sentMax, sentBytesMax }: RoomLimits): Error {
  const limit = stored >= sentMax ? `sentMax is ${sentMax}` : `sentBytesMax is ${sentBytesMax}`;
  return sourceErrors.CONTROLLER_BUILD_SOURCES_FULL({
    message: `there is no room for ${bytes} bytes more of source: builds that have not ended need ${stored} sources of ${storedBytes} bytes, and ${limit}`,
  });
}

/** Removes a folder unless it contains something; returns whether it is gone. */
async function isRemoved(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}

const hashOf = (digest: string): string => digest.slice(algorithm.length);

function holderOf({ name, tenant }: Claimant['caller']): string {
  const holder = tenant === undefined ? ['user', name] : ['tenant', tenant];
  return createHash('sha256').update(JSON.stringify(holder)).digest('hex');
}
