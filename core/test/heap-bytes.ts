import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What the heap holds that is still reachable. */
export function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
