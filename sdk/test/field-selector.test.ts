import { fieldIs } from '@tappaas/sdk';
import test from 'ava';

test('a name of somebody else’s making selects itself alone', (t) => {
  t.is(fieldIs('spec.subject', 'ann'), 'spec.subject=ann');
  t.is(fieldIs('spec.subject', 'a,spec.user=b\\'), 'spec.subject=a\\,spec.user\\=b\\\\');
});
