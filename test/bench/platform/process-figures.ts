import { readFile } from 'node:fs/promises';

/** What the operating system says of a process. */
export interface ProcessFigures {
  readonly rssMib: number;
  /** The most it ever had. */
  readonly peakMib: number;
  /** Used so far, of all its threads. */
  readonly cpuMs: number;
}

const ticksPerSecond = 100;

/** Zeros where there is no /proc. */
export async function figuresOf(pid: number | undefined): Promise<ProcessFigures> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const kib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return { rssMib: kib('VmRSS') / 1024, peakMib: kib('VmHWM') / 1024, cpuMs: ((user + system) * 1000) / ticksPerSecond };
}

/** The first child of a process: the platform's node agent. */
export async function childOf(pid: number | undefined): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return children === '' ? undefined : Number(children.split(' ')[0]);
}

export async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly seconds: number }> {
  const begun = performance.now();
  const value = await work();
  return { value, seconds: (performance.now() - begun) / 1000 };
}

/** Share of one core, in percent, over a while. */
export async function cpuPercent(pid: number | undefined, overMs: number): Promise<number> {
  const before = await figuresOf(pid);
  const { seconds } = await timed(() => pause(overMs));
  return ((await figuresOf(pid)).cpuMs - before.cpuMs) / (seconds * 10);
}

export function pause(ms: number): Promise<void> {
  return new Promise((later) => setTimeout(later, ms));
}
