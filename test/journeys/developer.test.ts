/** What somebody with the default role developer does with an API token of their own, from the command line. */
import { join } from 'node:path';
import test from 'ava';
import { requestApplication } from '../request-application.ts';
import { eventually, platformHome, root } from '../platform-process.ts';
import { printedToken } from '../printed-token.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';

test('a developer logs in with a token and deploys a directory, whatever the instance that takes source is called', async (t) => {
  t.timeout(180_000);
  const home = await platformHome({
    plugins: {
      builds: null,
      images: { use: '@tappaas/controller-build', config: { directory: './data/builds', images: './data/images' } },
      tokens: { use: '@tappaas/identity-token' },
      roles: { use: '@tappaas/access-rbac' },
    },
  });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const created = await home.tappaas('token', 'create', 'dora', '--user', 'dora', '--no-tenant');
  const token = printedToken(created);
  const login = await home.tappaas('login', platform.connection.server, '--token', token, '--certificate-authority', 'data/ca.pem');
  t.is(login.code, 0, login.stderr);

  const example = join(root, 'examples/hello');
  const refused = await home.tappaas('deploy', example);
  t.not(refused.code, 0);
  t.regex(refused.stderr, /dora|forbidden/);

  const bound = await platform.api('POST', `${rbac}/namespaces/default/rolebindings`, {
    metadata: { name: 'developers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'developer' },
    subjects: [{ kind: 'User', name: 'dora', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  t.is(bound.status, 201, bound.text);
  await eventually(
    () => home.tappaas('can', 'create', 'applications', '-n', 'default'),
    ({ code }) => code === 0,
  );
  const deployed = await home.tappaas('deploy', example);
  t.is(deployed.code, 0, deployed.stderr + deployed.stdout);
  t.regex(deployed.stdout, /http:\/\/hello\.default\.localhost/);
  t.regex((await requestApplication(home, 'hello.default.localhost')).text, /Hello/);
  t.is((await home.tappaas('status', 'hello')).code, 0);
  t.is((await home.tappaas('delete', 'hello')).code, 0);
});
