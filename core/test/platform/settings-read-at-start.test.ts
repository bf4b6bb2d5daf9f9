import test from 'ava';
import { settingsReadAtStart } from '../../dist/platform/settings-read-at-start.js';

const loaded = { file: 'tappaas.yaml', values: () => [] };

test('settings that the platform reads at its start are named once they differ, and no longer when they are put back', (t) => {
  const asStarted = {
    api: { port: 7443, workers: 0, hosts: ['a'], tls: { key: '' } },
    audit: { level: 'Metadata', checkpoints: { everyEvents: 1 } },
  };
  let sections: Readonly<Record<string, unknown>> = asStarted;
  const changed = settingsReadAtStart({
    get config() {
      const now = sections;
      return { ...loaded, section: (name: string) => now[name] };
    },
  });
  t.deepEqual(changed(), []);
  sections = {
    api: { port: 7443, workers: 2, hosts: ['a', 'b'], tls: { key: 'own.key' }, issuer: 'https://paas.example.com' },
    audit: { level: 'None', keyFile: 'audit.key', checkpoints: { everyEvents: 2 } },
  };
  t.deepEqual(changed(), ['api.workers', 'api.hosts', 'api.tls.key', 'api.issuer', 'audit.keyFile', 'audit.checkpoints.everyEvents']);
  sections = asStarted;
  t.deepEqual(changed(), []);
});
