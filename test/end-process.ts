/** How tests end the processes that they have begun, so that a test that fails keeps no file from its end. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** SIGKILL, and the end of it; `group` when it leads a process group of its own. Nothing for one that has ended, or that never began. */
export async function endProcess(child: ChildProcess, of: 'process' | 'group' = 'process'): Promise<void> {
  const isRunning = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const ended = isRunning ? once(child, 'exit') : undefined;
  if (of === 'group') signalGroup(child, 'SIGKILL');
  else child.kill('SIGKILL');
  await ended;
  // What it has begun itself may hold the other ends of its pipes for longer.
  for (const stream of child.stdio) stream?.destroy();
}

/** What a terminal does with Ctrl-C; nothing where no process of the group is left. */
export function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
