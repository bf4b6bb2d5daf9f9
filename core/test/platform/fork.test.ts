import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';

const run = promisify(execFile);
const dist = new URL('../../dist/', import.meta.url);

/** Forks a worker after a preparation, in a process of its own that nothing listens for lost errors in; prints how the worker ended. */
function forkAfter(preparation: string): string {
  return `
    import cluster from 'node:cluster';
    import { openSync } from 'node:fs';
    import { workerForks } from ${JSON.stringify(new URL('platform/workers/fork.js', dist).href)};
    const fork = workerForks(${JSON.stringify(new URL('worker.js', dist).pathname)});
    ${preparation}
    const worker = fork();
    const reason = await worker.ended;
    worker.kill();
    await new Promise((resolve) => setImmediate(resolve));
    console.log(reason, Object.keys(cluster.workers).length, worker.connected);
  `;
}

const causes: Readonly<Record<string, readonly [string, RegExp]>> = {
  'its directory is gone': ["cluster.setupPrimary({ cwd: '/nowhere' });", /^spawn \S+ ENOENT 0 false\n$/],
  'no descriptors are left': ["try { for (;;) openSync('/dev/null'); } catch {}", /^spawn \S+ EMFILE 0 false\n$/],
};
for (const [cause, [preparation, reported]] of Object.entries(causes)) {
  test(`a worker that cannot be started because ${cause} has ended, and the platform goes on`, async (t) => {
    const script = forkAfter(preparation);
    const { stdout } = await run('bash', ['-c', 'ulimit -n 64; exec "$0" --input-type=module -e "$1"', process.execPath, script]);
    t.regex(stdout, reported);
  });
}
