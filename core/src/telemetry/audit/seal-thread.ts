/** The thread that seals lines: receives events and the end of the chain, and returns the lines. */
import { parentPort } from 'node:worker_threads';
import type { SealRequest } from './sealer.js';
import { sealed } from './seal.js';

parentPort?.on('message', ({ chain, end, events }: SealRequest) => {
  const block = sealed(chain, end, events);
  parentPort?.postMessage(block, [block.bytes.buffer, block.ends.buffer]);
});
