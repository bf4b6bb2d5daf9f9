import test from 'ava';
import { calledAs } from '../../dist/cli/called-as.js';

test('the next command is told as it works where this one was called: through npm, or by its own name', (t) => {
  t.is(calledAs({ env: { npm_command: 'start' } }), 'npx tappaas');
  t.is(calledAs({ env: { npm_command: 'exec' } }), 'npx tappaas');
  t.is(calledAs({ env: {} }), 'tappaas');
});
