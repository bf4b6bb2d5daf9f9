import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { storeErrors } from '@tappaas/sdk/store';

/** File of a snapshot during a restore; the writer removes one that a dead process left. */
export const spoolName = 'restore.part';

/** Writes a snapshot to a file in `directory`, and removes it when `use` has ended. @throws TAP_STORE_READ_ONLY when the disk is full */
export async function withSpooled(
  directory: string,
  snapshot: AsyncIterable<Uint8Array>,
  use: (file: string) => Promise<unknown>,
): Promise<void> {
  const file = join(directory, spoolName);
  try {
    await spool(snapshot, file);
    await use(file);
  } finally {
    await rm(file, { force: true });
  }
}

async function spool(snapshot: AsyncIterable<Uint8Array>, file: string): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    for await (const chunk of snapshot) await handle.writeFile(chunk);
  } catch (cause) {
    throw cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC'
      ? storeErrors.TAP_STORE_READ_ONLY({ message: `the disk of ${file} is full`, cause })
      : cause;
  } finally {
    await handle.close();
  }
}
