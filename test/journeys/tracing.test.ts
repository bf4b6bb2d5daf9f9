/** A request in its trace: over the plugins that were asked, to the store and the audit log. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Span } from '@tappaas/sdk';
import test from 'ava';
import { eventually, platformHome, storeOnly } from '../platform-process.ts';
import { writePlugin } from '../plugin-package.ts';

/** Writes each span into a file, has a say in what is created, and tells what it would send to others. */
const tracer = `
import { appendFileSync } from 'node:fs';
import { definePlugin, hooks, Type } from '@tappaas/sdk';
import { Tenant } from '@tappaas/sdk/kinds';
export default definePlugin({
  id: 'tracer',
  config: Type.Object({ file: Type.String({ description: 'File that gets a line of JSON for each span.' }) }),
  example: { file: '/dev/null' },
  setup(host, { file }) {
    host.tap(hooks.telemetry.span, {}, (span) => appendFileSync(file, JSON.stringify(span) + '\\n'));
    host.tap(hooks.admission.validate, { kinds: [Tenant] }, async () => undefined);
    host.http({ method: 'GET', path: '/header', description: 'Tells where it stands.', bodyBytesMax: 0, auth: 'caller', handle: async (_, { traceparent }) => ({ status: 200, body: JSON.stringify({ traceparent }) }) });
  },
});
`;

test('a request is followed over the plugins that serve it into the store, and audit tells its trace', async (t) => {
  t.timeout(120_000);
  const audit = { use: '@tappaas/telemetry-audit-file', config: { directory: './data/audit' } };
  const home = await platformHome({ plugins: { ...storeOnly, audit, tracer: { use: './tracer', config: { file: './spans' } } } });
  t.teardown(() => home.remove());
  const file = join(home.directory, 'spans');
  await writePlugin(home.directory, 'tracer', tracer);
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const spans = async (): Promise<readonly Span[]> =>
    (await readFile(file, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Span);

  const tenant = { apiVersion: 'platform.tappaas.dev/v1alpha1', kind: 'Tenant', metadata: { name: 'acme' }, spec: {} };
  const made = await platform.api('POST', '/apis/platform.tappaas.dev/v1alpha1/tenants', tenant);
  t.is(made.status, 201, made.text);
  const requests = await eventually(
    async () => (await spans()).filter(({ name }) => name === 'create tenants'),
    ({ length }) => length > 0,
  );
  const [created] = requests;
  t.is(created?.attributes['tappaas.request.id'], String(made.headers['x-request-id']));
  const parts = (await spans()).filter(({ traceId }) => traceId === created?.traceId);
  const pluginsOf = (name: string) =>
    parts.filter((span) => span.name === name && span.parentSpanId === created?.spanId).map((span) => span.attributes['tappaas.plugin']);
  t.deepEqual(pluginsOf('admission.validate'), ['tracer']);
  t.deepEqual(pluginsOf('tappaas/store.transact'), ['store']);

  const { traceparent } = (await platform.api('GET', '/plugins/tracer/header')).json<{ traceparent: string }>();
  const [, traceId, spanId] = traceparent.split('-');
  const route = await eventually(
    async () => (await spans()).find((span) => span.spanId === spanId),
    (span) => span !== undefined,
  );
  t.is(route?.traceId, traceId);
  t.is(route?.attributes['tappaas.plugin'], 'tracer');

  const log = await eventually(
    async () =>
      (await platform.api('GET', '/audit?resource=tenants&verb=create')).json<{
        items: readonly { event: { annotations?: Record<string, string> } }[];
      }>(),
    ({ items }) => items.length > 0,
  );
  t.true(
    log.items.some(({ event }) => event.annotations?.['trace.id'] === created?.traceId),
    JSON.stringify(log),
  );
});
