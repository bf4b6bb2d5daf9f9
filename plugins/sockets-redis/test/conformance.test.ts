import test from 'ava';
import { conformance, load } from '@tappaas/testing';
import socketsRedis from '../dist/index.js';
import { runsRedis, startRedis } from './redis-server.ts';

const withRedis = runsRedis ? test : test.skip;
for (const { title, run } of conformance.plugin(() => load(socketsRedis, { url: 'unix:///nowhere/redis.sock' }))) {
  test(title, (t) => t.notThrowsAsync(run()));
}

let streams = 0;
const removing: (() => Promise<void>)[] = [];
let url = '';
test.before(async () => {
  if (!runsRedis) return;
  const redis = await startRedis();
  ({ url } = redis);
  removing.push(() => redis.remove());
});
test.after.always(async () => {
  for (const remove of removing) await remove();
});

/** Each case has its own stream, which its processes share. */
const make = () => {
  const streamName = `case-${(streams += 1)}`;
  return () => load(socketsRedis, { url, streamName });
};
for (const { title, run } of conformance.socketAdapter(make)) {
  withRedis(title, async (t) => {
    t.timeout(120_000);
    await t.notThrowsAsync(run());
  });
}
