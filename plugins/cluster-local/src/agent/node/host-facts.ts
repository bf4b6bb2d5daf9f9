import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, hostname, release, totalmem, type } from 'node:os';

/** Resources and properties of this machine. */
export interface HostFacts {
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly hostname: string;
  readonly architecture: string;
  readonly operatingSystem: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly bootId: string;
}

/** Reads them from the system; `directory` is where pods write. */
export async function readHostFacts(directory: string): Promise<HostFacts> {
  const { bavail, bsize } = await statfs(directory);
  return {
    cpu: availableParallelism(),
    memoryBytes: totalmem(),
    storageBytes: bavail * bsize,
    hostname: hostname(),
    architecture: arch() === 'x64' ? 'amd64' : arch(),
    operatingSystem: process.platform === 'win32' ? 'windows' : process.platform,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]+)/m.exec(textOf('/etc/os-release'))?.[1] ?? type(),
    machineId: textOf('/etc/machine-id').trim(),
    bootId: textOf('/proc/sys/kernel/random/boot_id').trim(),
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
