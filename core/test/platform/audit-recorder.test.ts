import { Release } from '@tappaas/sdk/kinds';
import test from 'ava';
import type { EnginePort } from '../../dist/ports/engine.js';
import { auditRecorder } from '../../dist/platform/audit/audit-recorder.js';
import { VirtualClock } from '../virtual-clock.ts';

const engine: Pick<EnginePort, 'name' | 'kinds'> = {
  name: 'platform',
  kinds: () => [
    {
      group: Release.group,
      version: Release.version,
      kind: Release.kind,
      plural: 'releases',
      singular: 'release',
      scope: 'Namespaced',
      description: '',
      shortNames: [],
      categories: [],
      verbs: [],
      subresources: [],
      schemaName: 'Release',
      components: () => ({}),
      columns: [],
      strategicMerge: false,
      orphaned: false,
    },
  ],
};

test('what belongs to a request has its id, and what a plugin does by itself an id of its own', async (t) => {
  const ids: string[] = [];
  const recorder = auditRecorder({
    audit: async () => (request) => {
      ids.push(request.requestId);
      return { end: () => {} };
    },
    engine: async () => engine,
    clock: new VirtualClock(),
  });
  const deed = { caller: { name: 'ann', groups: [] }, verb: 'delete', kind: Release, name: 'one', reason: 'its time is over' };
  await recorder.record({ ...deed, requestId: 'r0-1' });
  await recorder.record(deed);
  await recorder.record({ ...deed, requestId: '' });
  t.is(ids[0], 'r0-1');
  t.true(ids.every((id) => id.length > 0));
  t.is(new Set(ids).size, 3);
});
