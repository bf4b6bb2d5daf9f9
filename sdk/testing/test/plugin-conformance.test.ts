import { setTimeout as wait } from 'node:timers/promises';
import test from 'ava';
import { definePlugin, deny, hooks, isTapError, Type, type Plugin } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import { conformance, load, type MakePlugin } from '@tappaas/testing';
import { Budget, budgets, goodBudgets, ready, replicaLimit } from './sample-plugins.ts';

const objects = [{ kind: Budget, object: { namespace: 'default', name: 'sample', spec: { euro: 3 } } }];

/** Titles of the cases that the plugin fails. */
async function failing(make: MakePlugin): Promise<readonly string[]> {
  const titles: string[] = [];
  for (const { title, run } of conformance.plugin(make)) {
    await run().catch(() => titles.push(title));
  }
  return titles;
}

const withObjects = (plugin: Plugin) => () => ({ plugin: load(plugin), objects });

test('a plain plugin passes every case', async (t) => {
  t.deepEqual(await failing(() => load(replicaLimit, { replicasMax: 3 })), []);
});

test('a controller that only reads and states what it sees passes every case', async (t) => {
  t.deepEqual(await failing(withObjects(goodBudgets)), []);
});

test('a key that takes anything is found', async (t) => {
  const lax = definePlugin({ id: 'lax', config: Type.Object({ anything: Type.Optional(Type.Unknown()) }), example: {}, setup() {} });
  t.deepEqual(await failing(() => load(lax)), ['a value that does not fit is refused for every key, naming the key']);
});

test('a plugin that registers something else with another configuration is found', async (t) => {
  const moody = definePlugin({
    id: 'moody',
    config: Type.Object({ denies: Type.Boolean({ default: false, description: 'Whether it denies.' }) }),
    example: {},
    setup(host, { denies }) {
      if (denies) host.tap(hooks.admission.validate, { kinds: [Application] }, () => deny({ field: '', reason: 'No', message: 'no' }));
    },
  });
  t.true((await failing(() => load(moody))).includes('setup registers the same whatever the configuration says, at once and without I/O'));
});

test('a configuration that is refused is no reason for other cases to pass', async (t) => {
  const titles = await failing(() => load(replicaLimit, { replicasMax: 0 }));
  t.true(titles.includes('it starts, works for a minute and stops, and nothing is left open'));
});

test('a timer that is left is found', async (t) => {
  const leaking = definePlugin({
    id: 'leaking',
    setup(host) {
      let timer: NodeJS.Timeout | undefined;
      host.onStart(async () => {
        timer = setInterval(() => {}, 50);
        // Ends the leak, since otherwise the test run would never end.
        void wait(3_000, undefined, { ref: false }).then(() => clearInterval(timer));
      });
    },
  });
  t.deepEqual(await failing(() => load(leaking)), ['it starts, works for a minute and stops, and nothing is left open']);
});

test('a plugin that needs its start in order to stop is found', async (t) => {
  const needy = definePlugin({
    id: 'needy',
    setup(host) {
      let started: { stop(): void } | undefined;
      host.onStart(async () => void (started = { stop() {} }));
      host.onStop(async () => (started as { stop(): void }).stop());
    },
  });
  t.deepEqual(await failing(() => load(needy)), [
    'it stops cleanly when its start fails before it got anywhere, and when another plugin fails',
  ]);
});

test('a plugin that fails to stop is found', async (t) => {
  const stubborn = definePlugin({ id: 'stubborn', setup: (host) => host.onStop(() => Promise.reject(new Error('no'))) });
  const titles = await failing(() => load(stubborn));
  t.true(titles.includes('stopping it twice is stopping it once'));
  t.true(titles.includes('it starts, works for a minute and stops, and nothing is left open'));
});

test('a task that does not hear that it should stop is found', async (t) => {
  t.timeout(120_000);
  const deaf = definePlugin({
    id: 'deaf',
    setup(host) {
      host.task({ name: 'deaf', on: 'leader', everyMs: 1_000, run: () => new Promise(() => {}) });
    },
  });
  const { run } = conformance.plugin(() => load(deaf)).find(({ title }) => title.startsWith('told to stop')) ?? {};
  await t.throwsAsync(async () => run?.(), { message: /pass the context's signal on/ });
});

test('a tap that is not ready when it is swapped in is found', async (t) => {
  const forgetful = definePlugin({
    id: 'forgetful',
    config: Type.Object({ size: Type.Integer({ default: 1, description: 'Size.' }) }),
    example: {},
    setup(host) {
      let isOpen = false;
      host.onStart(async () => void (isOpen = true));
      host.onStop(async () => void (isOpen = false));
      host.tap(hooks.admission.validate, { kinds: [Application] }, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        if (!isOpen) throw new Error('closed');
        return undefined;
      });
    },
  });
  t.deepEqual(await failing(() => load(forgetful)), []);
  const never = definePlugin({
    id: 'never-ready',
    setup: (host) => host.tap(hooks.admission.validate, { kinds: [Application] }, () => Promise.reject(new Error('never'))),
  });
  t.true((await failing(() => load(never))).includes('reloads while it is asked lose no call, and leave it running'));
});

test('what the permissions do not name is found, whatever the plugin makes of the refusal', async (t) => {
  const curious = definePlugin({
    id: 'curious',
    setup(host) {
      host.task({
        name: 'look',
        on: 'leader',
        everyMs: 1_000,
        run: async ({ asPlugin }) => void (await asPlugin.get(Application, { namespace: 'default', name: 'a' }).catch(() => {})),
      });
    },
  });
  t.deepEqual(await failing(() => load(curious)), ['it does nothing that its permissions do not name']);
});

test('a kind of which there is no object is told', async (t) => {
  t.true((await failing(() => load(goodBudgets))).includes('there is an object to try of every kind that it taps or reconciles'));
});

test('a controller that swallows a failure and rests is found', async (t) => {
  const careless = budgets(async (object, context) => {
    await context.setStatus({ seenEuro: object.spec.euro }, ready).catch(() => {});
  });
  const titles = await failing(withObjects(careless));
  for (const fault of ['a conflict (409)', 'being sent away (429)', 'a failure of the server (500)']) {
    t.true(titles.includes(`in whatever call it meets ${fault}, it comes to the same end`), fault);
  }
});

test('a controller that gives up at an error it calls final is found', async (t) => {
  const { defineErrors } = await import('@tappaas/sdk');
  const errors = defineErrors({ BUDGETS_GIVEN_UP: { httpStatus: 500, blame: 'plugin', retry: 'never', remedy: 'Look at the log.' } });
  const quitter = budgets(async (object, context) => {
    try {
      await context.setStatus({ seenEuro: object.spec.euro }, ready);
    } catch (error) {
      if (isTapError(error, 'TAP_FLOW_FULL')) throw errors.BUDGETS_GIVEN_UP({ message: 'too busy' });
      throw error;
    }
  });
  t.deepEqual(await failing(withObjects(quitter)), ['in whatever call it meets being sent away (429), it comes to the same end']);
});

test('a controller that makes something again when the answer came too late is found', async (t) => {
  let made = 0;
  const doubling = budgets(async (object, context) => {
    if (object.metadata.name !== 'sample' || object.spec.euro !== 3) return;
    const { status } = (await context.asPlugin.get(Budget, { namespace: 'default', name: 'sample' })) ?? {};
    if (status?.seenEuro === 3) return;
    made += 1;
    await context.asPlugin.create(Budget, { metadata: { namespace: 'default', name: `made-${made}` }, spec: { euro: 0 } });
    await context.setStatus({ seenEuro: 3 }, ready);
  });
  const titles = await failing(withObjects(doubling));
  t.true(titles.includes('in whatever call it meets an answer that comes too late, it comes to the same end'));
});
