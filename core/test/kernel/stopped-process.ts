/** A process with a watchdog that is busy for as many milliseconds as it is told, and may be stopped meanwhile; run by watchdog.test.ts, which ends it. */
import { writeSync } from 'node:fs';
import { Watchdog } from '../../dist/kernel/guard/watchdog.js';

const watchdog = new Watchdog({
  blockedMsMax: 500,
  onBlocked: ({ blockedMs }) => void writeSync(1, `blocked for ${blockedMs} ms\n`),
});
await watchdog.looking;
writeSync(1, 'looking\n');
function usedMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

// Holding the processor counts, not standing in line for it.
process.stdin.on('data', (requested) => {
  const startMicros = usedMicros();
  writeSync(1, 'busy\n');
  while (usedMicros() - startMicros < Number(requested) * 1000);
  // What is told of it is told by then.
  setTimeout(() => writeSync(1, 'idle\n'), 250);
});
