import test from 'ava';
import { calledAs, inNamespace } from '../../dist/cli/called-as.js';

test('the next command is told as it works where this one was called: through npm, or by its own name', (t) => {
  t.is(calledAs({ env: { npm_command: 'start' } }), 'npx tappaas');
  t.is(calledAs({ env: { npm_command: 'exec' } }), 'npx tappaas');
  t.is(calledAs({ env: {} }), 'tappaas');
});

test('a command that is offered names the namespace unless it is the one that commands are about anyhow', (t) => {
  t.is(inNamespace({ env: {} }, 'default'), '');
  t.is(inNamespace({ env: {} }, 'team'), ' -n team');
  t.is(inNamespace({ env: { TAPPAAS_NAMESPACE: 'team' } }, 'team'), '');
  t.is(inNamespace({ env: { TAPPAAS_NAMESPACE: 'team' } }, 'default'), ' -n default');
});
