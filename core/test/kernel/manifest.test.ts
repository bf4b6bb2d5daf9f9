import { definePlugin, families, hooks, optional, defineService, Type, type Plugin } from '@tappaas/sdk';
import { Application, Build } from '@tappaas/sdk/kinds';
import test from 'ava';
import { recordPackage } from '../../dist/kernel/manifest/record-package.js';
import { recordManifest } from '../../dist/kernel/manifest/record.js';
import { rejection } from './fixture.ts';
import { Workspace } from './workspace.ts';

const Greeting = defineService<object>({ id: 'acme/greeting', contract: 3 });

test('the recorder writes down everything that a plugin registers, and nothing that it does', (t) => {
  let ran = false;
  const plugin = definePlugin({
    id: 'everything',
    stability: 'beta',
    config: Type.Object({ name: Type.String({ default: 'x' }), size: Type.Integer() }),
    example: { size: 1 },
    permissions: { resources: [{ kind: Application, verbs: ['get', 'list'] }], secrets: ['a/*'] },
    needs: { greeting: optional(Greeting), stores: families.secretStore },
    setup(host, { size }) {
      const run = async (): Promise<void> => void (ran = true);
      host.tap(
        hooks.admission.validate,
        { kinds: [Application], name: 'first', after: ['other'], timeoutMs: 5, failurePolicy: 'ignore', operations: ['delete'] },
        () => {
          ran = true;
        },
      );
      host.tap(hooks.reconcile.render, { kinds: [Build], phase: 'policy', engine: host.id }, ({ set }) => set);
      host.provide(families.runtime, () => ({}) as never);
      host.engine({ name: host.id, description: 'Own.', kinds: [] });
      host.controller({ kind: Application, reconcile: run });
      host.http({ method: 'GET', path: '/x', description: 'X.', bodyBytesMax: size, auth: 'self', handle: async () => ({ status: 200 }) });
      host.task({ name: 'sweep', on: 'leader', everyMs: 1000, run });
      host.counter({ name: 'x_total', help: 'X.', seriesMax: 1 })({}, size);
      host.onStart(run);
      host.onConfig(() => 'applied');
    },
  });
  const manifest = recordManifest(plugin, {
    name: '@acme/everything',
    version: '1.2.3',
    description: 'All.',
    peerDependencies: { '@tappaas/sdk': '^0.1.0' },
  });
  t.false(ran);
  t.deepEqual(JSON.parse(JSON.stringify(manifest)), manifest, 'it is plain data');
  t.deepEqual(manifest, {
    manifestVersion: 1,
    id: 'everything',
    package: '@acme/everything',
    version: '1.2.3',
    description: 'All.',
    stability: 'beta',
    kernel: '^0.1.0',
    config: {
      type: 'object',
      additionalProperties: false,
      required: ['size'],
      properties: { name: { type: 'string', default: 'x' }, size: { type: 'integer' } },
    },
    permissions: { resources: [{ kind: 'apps.tappaas.dev/Application', verbs: ['get', 'list'] }], secrets: ['a/*'] },
    needs: [
      { as: 'greeting', id: 'acme/greeting', contract: 3, arity: 'one', optional: true },
      { as: 'stores', id: 'tappaas/secret-store', contract: 1, arity: 'keyed', optional: true },
    ],
    provides: [{ id: 'tappaas/runtime', contract: 1, arity: 'keyed' }],
    taps: [
      {
        hook: 'admission.validate',
        contract: 1,
        name: 'first',
        kinds: ['apps.tappaas.dev/Application'],
        operations: ['delete'],
        after: ['other'],
        timeoutMs: 5,
        failurePolicy: 'ignore',
      },
      { hook: 'reconcile.render', contract: 1, kinds: ['apps.tappaas.dev/Build'], engine: '{instance}', phase: 'policy' },
    ],
    parts: {
      kinds: [],
      controllers: [{ kind: 'apps.tappaas.dev/Application', renders: false }],
      actions: [],
      fields: [],
      routes: [{ method: 'GET', path: '/x', auth: 'self', description: 'X.' }],
      engines: [{ name: '{instance}', description: 'Own.', kinds: [] }],
      columns: [],
      tasks: [{ name: 'sweep', on: 'leader', everyMs: 1000 }],
      counters: ['x_total'],
      lifecycle: { starts: 1, stops: 0, takesConfig: true },
    },
    errors: [],
  });
});

test('a plugin whose example does not fit, or that is none, is refused while building', (t) => {
  const plugin = definePlugin({
    id: 'x',
    config: Type.Object({ a: Type.Integer() }),
    example: { a: 'text' as never },
    setup() {},
  }) as Plugin;
  t.throws(() => recordManifest(plugin, {}), {
    message: /example of plugin x does not fit its config: TAP_CONFIG_TYPE {2}example\.a: expected a whole number, found "text"/,
  });
  t.throws(() => recordManifest({ $type: 'tappaas/plugin', id: 'x' }, {}), { message: /not made by definePlugin/ });
  const crossed = definePlugin({ id: 'y', config: Type.Object({ a: Type.Intersect([]) }), example: {}, setup() {} }) as Plugin;
  t.throws(() => recordManifest(crossed, {}), { message: /config of plugin y\.a: an Intersect cannot be closed/ });
});

test('the codes that a package defines land in its manifest, and codes of others are refused', async (t) => {
  const workspace = await Workspace.create(t);
  const source = (code: string) => `import { definePlugin, defineErrors } from '@tappaas/sdk';
    export const errors = defineErrors({ ${code}: { httpStatus: 503, blame: 'upstream', retry: 'back-off', remedy: 'Wait.' } });
    export default definePlugin({ id: 'cost-guard', setup() {} });`;
  await workspace.write('good.js', source('COST_GUARD_PRICES_DOWN'));
  const { errors } = await recordPackage(workspace.file('good.js'), { name: '@acme/cost-guard' });
  t.deepEqual(errors, [{ code: 'COST_GUARD_PRICES_DOWN', httpStatus: 503, blame: 'upstream', retry: 'back-off', remedy: 'Wait.' }]);
  await workspace.write('bad.js', source('TAP_STOLEN'));
  t.is(
    (await rejection(recordPackage(workspace.file('bad.js'), { name: '@acme/cost-guard' }))).message,
    'plugin cost-guard defines error code TAP_STOLEN; its codes start with COST_GUARD_',
  );
});
