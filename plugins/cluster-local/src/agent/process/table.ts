import { readdir, readFile, readlink } from 'node:fs/promises';

/** Data of one process from the system's process table; requires `/proc`. */
export interface ProcessFacts {
  readonly pid: number;
  readonly groupId: number;
  /** Total processor time, in ticks of 10 ms. */
  readonly cpuTicks: number;
  readonly memoryBytes: number;
}

const pageBytes = 4096;

/** All processes of this machine; empty on systems without `/proc`. */
export async function processTable(): Promise<readonly ProcessFacts[]> {
  const entries = await readdir('/proc').catch(() => []);
  const found = await Promise.all(entries.filter((name) => /^\d+$/.test(name)).map(factsOf));
  return found.filter((facts) => facts !== undefined);
}

async function factsOf(name: string): Promise<ProcessFacts | undefined> {
  const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') return undefined;
  const number = (index: number) => Number(fields[index] ?? 0);
  return { pid: Number(name), groupId: number(2), cpuTicks: number(11) + number(12), memoryBytes: number(21) * pageBytes };
}

/** The environment that a process was started with; empty on systems without `/proc`. */
export async function environmentOfProcess(pid: number): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  const entries = text.split('\0').filter((entry) => entry.includes('='));
  return Object.fromEntries(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
}

/** Processes whose environment contains the mark, including those that left their group. */
export async function processesMarked(mark: string): Promise<readonly number[]> {
  const entries = await readdir('/proc').catch(() => []);
  const found = await Promise.all(
    entries
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '');
        return environment.split('\0').includes(mark) ? [Number(name)] : [];
      }),
  );
  return found.flat().filter((pid) => pid !== process.pid);
}

/** TCP ports on which a process group listens; empty on systems without `/proc`. */
export async function listeningPorts(groupId: number): Promise<readonly number[]> {
  const members = (await processTable()).filter((facts) => facts.groupId === groupId);
  const inodes = new Set((await Promise.all(members.map(({ pid }) => socketsOf(pid)))).flat());
  if (inodes.size === 0) return [];
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'latin1').catch(() => '')));
  const ports = tables
    .flatMap((table) => table.split('\n').slice(1))
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const isListening = fields[3] === '0A' && inodes.has(fields[9] ?? '');
      return isListening ? [Number.parseInt((fields[1] ?? '').split(':')[1] ?? '', 16)] : [];
    });
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

async function socketsOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}
