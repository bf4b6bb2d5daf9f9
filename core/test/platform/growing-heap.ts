/* A process that needs much memory for a while, most of it not for long, and says how much its heap took then and takes after a while. */
import { keepHeapSmall } from '../../dist/heap-settings.js';

const waitMsMax = 90_000;
const mibOf = () => Math.round(process.memoryUsage().heapTotal / 1024 / 1024);

keepHeapSmall();
const kept: object[][] = [];
let mostMib = 0;
for (let round = 0; round < 150; round += 1) {
  kept.push(Array.from({ length: 20_000 }, (_, index) => ({ round, index, text: `${round} ${index}` })));
  // Of what was needed for a while a few objects stay, so that no page is empty.
  if (round >= 40) kept[round - 40] = kept[round - 40]?.filter((_, index) => index % 20 === 0) ?? [];
  mostMib = Math.max(mostMib, mibOf());
  await new Promise((later) => setImmediate(later));
}
for (const [round, objects] of kept.entries()) kept[round] = objects.slice(0, 1_000);
const endMs = performance.now() + waitMsMax;
while (mibOf() >= mostMib / 2 && performance.now() < endMs) await new Promise((later) => setTimeout(later, 250));
process.stdout.write(JSON.stringify({ mostMib, leftMib: mibOf(), kept: kept.length }));
