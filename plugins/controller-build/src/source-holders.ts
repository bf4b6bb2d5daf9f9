import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Caller } from '@tappaas/sdk';
import { createFile } from '@tappaas/sdk/durable-file';
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
  add(digest: string, claimant: Claimant): Promise<void>;
}

/** Keeps one empty file `<directory>/<digest>/<namespace>/<who>` for each: names of people are hashed, namespaces are DNS labels. */
export function createSourceHolders(directory: string): SourceHolders {
  const folderOf = (digest: string, namespace: string) => join(directory, digest.slice('sha256:'.length), namespace);
  const fileOf = (digest: string, { namespace, caller }: Claimant) => join(folderOf(digest, namespace), whoIs(caller));
  return {
    isHeldBy: (digest, claimant) => isThere(fileOf(digest, claimant)),
    isFor: (digest, namespace) => isThere(folderOf(digest, namespace)),
    async add(digest, claimant) {
      await mkdir(folderOf(digest, claimant.namespace), { recursive: true });
      await createFile(fileOf(digest, claimant), '');
    },
  };
}

function whoIs({ name, tenant }: Claimant['caller']): string {
  const who = tenant === undefined ? ['user', name] : ['tenant', tenant];
  return createHash('sha256').update(JSON.stringify(who)).digest('hex');
}
