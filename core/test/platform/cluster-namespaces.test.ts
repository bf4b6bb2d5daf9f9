import test from 'ava';
import * as fc from 'fast-check';
import { clusterNamespace } from '../../dist/platform/clusters/cluster-namespaces.js';

test('the template names the namespace', (t) => {
  t.is(clusterNamespace('tappaas-{namespace}', 'team-a'), 'tappaas-team-a');
});

test('a name is never longer than Kubernetes allows, and two namespaces never share one', (t) => {
  const name = fc.stringMatching(/^[a-z]{1,63}$/);
  fc.assert(
    fc.property(name, name, (one, other) => {
      const [first, second] = [one, other].map((each) => clusterNamespace('tappaas-{namespace}', each));
      return (first ?? '').length <= 63 && (one === other) === (first === second);
    }),
  );
  t.pass();
});
