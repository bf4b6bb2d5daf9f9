import type { Immutable, ReconcileContext } from '@tappaas/sdk';
import type { Application, ApplicationObject } from '@tappaas/sdk/kinds';
import test from 'ava';
import { heldRoutes, lostRoutes, routedConditions } from '../dist/lost-routes.js';
import { renderApplication } from '../dist/render-application.js';
import { summarizeApplication } from '../dist/summarize-application.js';
import { facts, shop } from './fixture.ts';

const route = (host?: string, path = '/', name = 'public') => ({ name, path, process: 'web', port: 'http', ...(host && { host }) });

/** A context with other applications of the namespace, by name. */
function among(others: Readonly<Record<string, Immutable<ApplicationObject>>>): ReconcileContext<typeof Application> {
  const asPlugin = { get: async (_: unknown, { name }: { readonly name: string }) => others[name] };
  return { asPlugin } as unknown as ReconcileContext<typeof Application>;
}

const lost = async (host: string, others = {}, path = '/') =>
  (await lostRoutes(shop({ routes: [route(host, path)] }), among(others), ['localhost', 'apps.test'])).inputs['lost-route/public'];

test('a host below another namespace is lost, whichever cluster it ends like', async (t) => {
  t.is(await lost('pay.team-b.localhost'), 'HostReserved');
  t.is(await lost('a.pay.team-b.apps.test'), 'HostReserved');
  for (const host of ['pay.team-a.apps.test', 'pay.team-b.example.com', '*.team-a.apps.test', 'apps.test'])
    t.is(await lost(host), undefined, host);
});

test('a host and path that another application has by default are lost; other paths, hosts of its own and the own name are not', async (t) => {
  const pay = shop({ routes: [route(undefined, '/login')] });
  t.is(await lost('pay.team-a.apps.test', { pay }, '/login'), 'HostTaken');
  t.is(await lost('pay.team-a.apps.test', { pay }), undefined);
  t.is(await lost('pay.team-a.example.com', { pay }, '/login'), undefined);
  t.is(await lost('pay.team-a.apps.test', { pay: shop({ routes: [route('pay.example.com', '/login')] }) }, '/login'), undefined);
  t.is(await lost('shop.team-a.apps.test', { shop: shop() }), undefined);
  const { owners } = await lostRoutes(shop({ routes: [route('pay.team-a.apps.test')] }), among({}), ['apps.test']);
  t.deepEqual(owners, ['pay'], 'one that does not exist yet wakes it when it comes');
});

test('a lost route is rendered nowhere, gives no URL, and is told until it is back', (t) => {
  const application = shop({ routes: [route('pay.team-b.localhost'), route(undefined, '/', 'own')] });
  const reported = { ...facts, inputs: { ...facts.inputs, 'lost-route/public': 'HostReserved' } };
  t.deepEqual(
    heldRoutes(application, reported).map(({ name }) => name),
    ['own'],
  );
  const ingress = JSON.stringify(renderApplication(application, reported, new Map()).find(({ kind }) => kind === 'Ingress'));
  t.false(ingress.includes('team-b'));
  t.true(ingress.includes('shop.team-a.localhost'));
  const onlyLost = shop({ routes: [route('pay.team-b.localhost')] });
  t.false(renderApplication(onlyLost, reported, new Map()).some(({ kind }) => kind === 'Ingress'));
  const { status, conditions } = summarizeApplication({ object: application, facts: reported, observed: [] });
  t.is(status.url, 'http://shop.team-a.localhost:8080');
  const routed = conditions.find(({ type }) => type === 'Routed');
  t.is(`${routed?.status} ${routed?.reason}`, 'False HostReserved');
  t.regex(routed?.message ?? '', /^route public leads nowhere: pay\.team-b\.localhost lies below another namespace; route a host/);
  t.deepEqual(routedConditions(application, facts), [], 'where nothing was lost nothing is said');
  const back = {
    ...application,
    status: { conditions: [{ ...routed, lastTransitionTime: '' }] },
  } as unknown as Immutable<ApplicationObject>;
  t.is(routedConditions(back, facts)[0]?.reason, 'HostsHeld');
});
