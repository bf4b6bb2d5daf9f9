import { setFlagsFromString } from 'node:v8';
import { giveMemoryBackWhenQuiet } from './platform/quiet-memory.js';

/** How much memory the heap may take for what is alive, and when it gives back what it took (docs/decisions/0092, 0201). */
export function keepHeapSmall(): void {
  // Before it is collected, garbage may be half of what is alive; by default it may be three times as much.
  setFlagsFromString('--heap-growing-percent=50');
  // How long it waits before it looks whether there is memory to give back, by default 8 s. An older runtime would print that it has no such flag.
  if (Number(process.versions.node.split('.')[0]) >= 26) setFlagsFromString('--memory-reducer-delay-ms=2000');
  giveMemoryBackWhenQuiet({
    cpuMs: () => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1_000;
    },
    saveMemory: (isWanted) => setFlagsFromString(isWanted ? '--memory-saver-mode' : '--no-memory-saver-mode'),
    every: (ms, call) => void setInterval(call, ms).unref(),
  });
}
