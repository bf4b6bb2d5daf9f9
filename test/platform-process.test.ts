/** A test that fails with a platform still running leaves nothing behind that would keep its file from its end. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { isAlive } from '../plugins/cluster-local/dist/agent/process/identity.js';
import type { AgentRecord } from '../plugins/cluster-local/dist/agent/settings.js';
import { requestApplication } from './request-application.ts';
import { eventually, platformHome, root } from './platform-process.ts';

for (const through of [undefined, 'npm'] as const) {
  const begun = through === undefined ? 'begun alone' : 'begun by npm start';
  test.serial(`with its home goes a platform that was ${begun}, what was asked of it, and its applications`, async (t) => {
    t.timeout(180_000);
    const home = await platformHome({ first: join(root, 'examples/hello') });
    t.teardown(() => home.remove());
    const platform = await home.start(through);
    const following = home.begin(['logs', 'hello', '-f']);
    following.stderr.resume();
    await eventually(
      () => requestApplication(home, 'hello.default.localhost'),
      ({ status }) => status === 200,
    );
    const agent = JSON.parse(await readFile(join(home.directory, 'data/local/agent.json'), 'utf8')) as AgentRecord;
    t.true(isAlive(agent));
    const closed = [platform.child, following].map((child) => new Promise((done) => child.once('close', done)));
    await home.remove();
    await Promise.all(closed);
    await eventually(
      async () => isAlive(agent),
      (alive) => !alive,
    );
    await t.throwsAsync(requestApplication(home, 'hello.default.localhost'), { code: 'ECONNREFUSED' });
    t.false(existsSync(home.directory));
  });
}
