import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Caller } from '@tappaas/sdk';
import { createFile, replaceFile } from '@tappaas/sdk/durable-file';
import { isThere } from './is-there.js';

/** For which namespace a source is, and who sends it or asks for it. */
export interface Claimant {
  readonly namespace: string;
  readonly caller: Pick<Caller, 'name' | 'tenant'>;
}

/** Who has sent which source for which namespace. */
export interface SourceHolders {
  /** Whether the caller, or another of its tenant, has sent it for the namespace. */
  isHeldBy(digest: string, claimant: Claimant): Promise<boolean>;
  /** Whether anybody has sent it for the namespace. */
  isFor(digest: string, namespace: string): Promise<boolean>;
  /** Of what the claimant, or its tenant, has sent, the oldest makes way for it where that is too many. One call at a time. */
  add(digest: string, claimant: Claimant): Promise<void>;
}

interface HolderSettings {
  readonly directory: string;
  readonly sentMax: number;
  /** Told of what nobody has sent any more; again after a crash. */
  readonly unheld: (digest: string) => Promise<void>;
}

const algorithm = 'sha256:';

/**
 * Keeps an empty file `holders/<digest>/<namespace>/<who>` for each, and `sent/<who>/<digest>.<namespace>` from before it is there until
 * after it is gone, by whose age they make way. Names of people are hashed, namespaces are DNS labels.
 */
export function createSourceHolders({ directory, sentMax, unheld }: HolderSettings): SourceHolders {
  const digestFolder = (hash: string) => join(directory, 'holders', hash);
  const folderOf = (digest: string, namespace: string) => join(digestFolder(hashOf(digest)), namespace);
  const fileOf = (digest: string, { namespace, caller }: Claimant) => join(folderOf(digest, namespace), whoIs(caller));

  const remove = async (sent: string, who: string): Promise<void> => {
    const [hash = '', namespace = ''] = sent.split('.');
    const folder = join(digestFolder(hash), namespace);
    await rm(join(folder, who), { force: true });
    if ((await isRemoved(folder)) && (await isRemoved(digestFolder(hash)))) await unheld(`${algorithm}${hash}`);
    await rm(join(directory, 'sent', who, sent), { force: true });
  };

  return {
    isHeldBy: (digest, claimant) => isThere(fileOf(digest, claimant)),
    isFor: (digest, namespace) => isThere(folderOf(digest, namespace)),
    async add(digest, claimant) {
      const who = whoIs(claimant.caller);
      const [own, added] = [join(directory, 'sent', who), `${hashOf(digest)}.${claimant.namespace}`];
      await mkdir(own, { recursive: true });
      const others = (await readdir(own)).filter((sent) => sent !== added);
      for (const sent of await oldest(own, others, others.length + 1 - sentMax)) await remove(sent, who);
      await replaceFile(join(own, added), '');
      await mkdir(folderOf(digest, claimant.namespace), { recursive: true });
      await createFile(fileOf(digest, claimant), '');
    },
  };
}

async function oldest(folder: string, names: readonly string[], count: number): Promise<readonly string[]> {
  if (count <= 0) return [];
  const aged = await Promise.all(names.map(async (name) => ({ name, atMs: (await stat(join(folder, name))).mtimeMs })));
  return aged
    .toSorted((one, other) => one.atMs - other.atMs)
    .slice(0, count)
    .map(({ name }) => name);
}

/** Removes a folder unless something is in it; says whether it is gone. */
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

function whoIs({ name, tenant }: Claimant['caller']): string {
  const who = tenant === undefined ? ['user', name] : ['tenant', tenant];
  return createHash('sha256').update(JSON.stringify(who)).digest('hex');
}
