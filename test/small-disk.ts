/** A file system that is full soon, for tests of what a full disk does; making one takes the right to mount. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { isCi } from './is-ci.ts';

const mounted = (directory: string, mib: number): readonly string[] => ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', directory];

function mayMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'tappaas-disk-'));
  try {
    if (spawnSync('mount', mounted(directory, 1), { stdio: 'ignore' }).status !== 0) return false;
    execFileSync('umount', [directory]);
    return true;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Declares a test with a small disk. Where nothing may be mounted it is skipped, but in CI it fails. */
export const withSmallDisk = mayMount() || isCi ? test : test.skip;

/** A directory on a disk of its own, of that size; it goes with the test. */
export function smallDisk(t: ExecutionContext, mib: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'tappaas-disk-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  execFileSync('mount', mounted(directory, mib));
  t.teardown(() => void execFileSync('umount', ['--lazy', directory]));
  return directory;
}

/** Gives the disk another size. */
export function resizeDisk(directory: string, mib: number): void {
  execFileSync('mount', ['-o', `remount,size=${mib}m`, directory]);
}
