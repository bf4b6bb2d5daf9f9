import test from 'ava';
import { isTenantName } from '../../dist/index.js';

test('a tenant is called what a label may say, and nothing that would change a selector', (t) => {
  for (const name of ['a', 'acme', 'Acme-2', 'a_b.c', 'a'.repeat(63)]) t.true(isTenantName(name), name);
  for (const text of ['', '=acme', 'acme,other', 'a b', '-a', 'a-', 'a\n', 'é', 'a'.repeat(64)])
    t.false(isTenantName(text), JSON.stringify(text));
});
