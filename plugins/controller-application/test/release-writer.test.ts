import test from 'ava';
import { checkReleaseWriter } from '../dist/release-writer.js';

test('a release is written by the platform, and by administrators, who have its rights; others can take nothing but it away', (t) => {
  const spec = { of: { uid: 'u1' }, number: 1, objects: [] };
  const decide = (name: string, groups: readonly string[], previous?: object) => {
    const request = { object: { spec }, previous: previous && { spec: previous }, caller: { name, groups } };
    return checkReleaseWriter(request as unknown as Parameters<typeof checkReleaseWriter>[0]).map(({ reason }) => reason);
  };
  t.deepEqual(decide('joe', ['everything-in-apps']), ['WrittenByPlatform']);
  t.deepEqual(decide('joe', [], { ...spec, objects: [{}] }), ['WrittenByPlatform']);
  t.deepEqual(decide('joe', [], { ...spec }), [], 'a label brings nothing to a cluster');
  t.deepEqual(decide('system:plugin:applications', []), ['WrittenByPlatform'], 'who acts as the plugin has its name alone');
  for (const name of ['system:tappaas', 'system:plugin:applications', 'admin']) t.deepEqual(decide(name, ['system:masters']), [], name);
});
