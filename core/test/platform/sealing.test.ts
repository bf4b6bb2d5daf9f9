/** What plugins seal, in a kernel with two of them. */
import { definePlugin, platformServices, type SealingService } from '@tappaas/sdk';
import { load, startTestKernel, type TestKernel } from '@tappaas/testing';
import test from 'ava';

type Act = (sealing: SealingService) => Promise<string>;

/** A plugin that does what a test wants done, as itself or outside of any call. */
function holder(id: string) {
  let given: SealingService | undefined;
  let wanted: (sealing: SealingService) => Promise<void> = async () => undefined;
  const plugin = definePlugin({
    id,
    needs: { sealing: platformServices.sealing },
    setup(host, _, { sealing }) {
      given = sealing;
      host.http({
        auth: 'caller',
        method: 'POST',
        path: '/run',
        description: 'Does what the test wants done.',
        bodyBytesMax: 0,
        async handle() {
          await wanted(sealing);
          return { status: 204 };
        },
      });
    },
  });
  return {
    id,
    plugin,
    outside: () => given,
    /** What comes of it when the plugin does it in a request. */
    async does(kernel: TestKernel, act: Act): Promise<string> {
      const came = Promise.withResolvers<string>();
      wanted = (sealing) => act(sealing).then(came.resolve, came.reject);
      await kernel.http('POST', `/plugins/${id}/run`);
      return came.promise;
    },
  };
}

test('a text opens with the words it was sealed with, for the plugin that sealed it, and unchanged', async (t) => {
  const [one, other] = [holder('one'), holder('other')];
  const kernel = await startTestKernel({ plugins: [load(one.plugin, {}), load(other.plugin, {})] });
  t.teardown(() => kernel.stop());
  const seal = (text: string) => one.does(kernel, (sealing) => sealing.seal(text, 'session-1'));
  const open = (text: string, about = 'session-1', who = one) => who.does(kernel, (sealing) => sealing.open(text, about));
  const sealed = await seal('a canary');
  t.false(Buffer.from(sealed, 'base64').includes('canary'));
  t.not(sealed, await seal('a canary'));
  t.is(await open(sealed), 'a canary');
  const changed = Buffer.from(
    Buffer.from(sealed, 'base64')
      .toString()
      .replace(/.{4}"}$/, 'AAAA"}'),
  ).toString('base64');
  const broken = { code: 'TAP_SEAL_BROKEN' };
  await t.throwsAsync(open(sealed, 'session-2'), broken);
  await t.throwsAsync(open(sealed, 'session-1', other), broken);
  await t.throwsAsync(open(changed), broken);
  await t.throwsAsync(open('no envelope'), broken);
  await t.throwsAsync(seal('x'.repeat(98_305)), { code: 'TAP_SEAL_TOO_LARGE' });
  await t.throwsAsync(async () => one.outside()?.seal('a canary', 'session-1'), { code: 'TAP_PLUGIN_PERMISSION' });
});
