import test from 'ava';
import { queueTurns } from '../../dist/platform/controllers/queue-turns.js';

const tenants: Readonly<Record<string, string>> = { 'platform shop': 'acme', 'platform blog': 'acme', 'local tappaas-shop': 'acme' };
const places = {
  now: (engine: string, namespace: string) => {
    const tenant = tenants[`${engine} ${namespace}`];
    return tenant === undefined ? {} : { tenant };
  },
};

test('the namespaces of a tenant take one turn together, on every engine, and those of nobody one each', (t) => {
  const turn = queueTurns(places, 'platform', { group: 'apps.tappaas.dev', kind: 'Application' });
  t.is(turn('shop/a'), turn('blog/b'));
  t.is(turn('shop/a'), queueTurns(places, 'local', { group: 'apps', kind: 'Deployment' })('tappaas-shop/a'));
  t.not(turn('shop/a'), turn('default/a'));
  t.not(turn('default/a'), turn('other/a'));
});

test('a namespace takes the turn of its tenant, and what lies in none shares one', (t) => {
  t.is(queueTurns(places, 'platform', { group: '', kind: 'Namespace' })('shop'), 'tenant acme');
  const nodes = queueTurns(places, 'local', { group: '', kind: 'Node' });
  t.is(nodes('a'), nodes('b'));
});

test('a namespace cannot be called so that it takes the turn of a tenant', (t) => {
  const turn = queueTurns(places, 'platform', { group: '', kind: 'ConfigMap' });
  t.not(turn('acme/a'), turn('shop/a'));
  t.not(turn('tenant acme/a'), turn('shop/a'));
});
