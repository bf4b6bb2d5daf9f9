import { definePlugin, families, Type } from '@tappaas/sdk';
import { openSecretFiles } from './secret-files.js';

const config = Type.Object({
  directory: Type.String({ default: './data/secrets', description: 'Directory of the encrypted files.' }),
  keyFile: Type.String({
    default: './keys/secrets-local.key',
    description: 'File of the key; outside the directory, and not in its backups.',
  }),
  secretBytesMax: Type.Integer({
    default: 1_048_576,
    minimum: 1,
    maximum: 16_777_216,
    description: 'Largest secret, names and values together, bytes.',
  }),
});

/** Stores secrets in encrypted files on this machine. */
export default definePlugin({
  id: 'secrets-local',
  stability: 'beta',
  config,
  example: {},
  setup(host, settings) {
    host.provide(families.secretStore, () => openSecretFiles(settings));
  },
});
