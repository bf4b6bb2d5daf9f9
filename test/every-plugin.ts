/** Every plugin that is shipped, configured so that all of them run side by side on one machine. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueAuthority } from '../core/dist/api/certificates/certificate-issuer.js';
import { root } from './platform-process.ts';

export interface EveryPlugin {
  /** Added to those of a test's platform. */
  readonly plugins: Readonly<Record<string, object>>;
  close(): Promise<void>;
}

/** Shipped, and not among them. */
const leftOut: Readonly<Record<string, string>> = {
  'telemetry-audit-stdout': 'it writes to the standard output, which is where the test tells its results',
};

/** Those of `platformHome`. */
const usual: readonly string[] = [
  'store-sqlite',
  'cluster-local',
  'runtime-standard',
  'build-source',
  'controller-build',
  'controller-application',
  'scheduling-resources',
  'telemetry-metrics',
];

/** @throws when a plugin is shipped that is not known here */
export async function everyPlugin(): Promise<EveryPlugin> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-every-plugin-'));
  const authorities = join(directory, 'clients.pem');
  await writeFile(authorities, (await issueAuthority(Date.now())).certificate);
  // Takes the lines of audit and says nothing.
  const receiver = createServer((request, answer) => void request.resume().on('end', () => answer.end()));
  await new Promise<void>((done) => void receiver.listen(0, '127.0.0.1', done));
  const { port } = receiver.address() as AddressInfo;
  const plugins = {
    roles: { use: '@tappaas/access-rbac' },
    policies: { use: '@tappaas/access-abac' },
    quota: { use: '@tappaas/admission-quota' },
    certificates: { use: '@tappaas/identity-mtls', config: { authorities } },
    // Nobody logs in: the provider is asked for nothing before somebody does.
    oidc: {
      use: '@tappaas/identity-oidc',
      config: {
        publicUrl: 'https://127.0.0.1:9',
        issuers: [{ name: 'corp', issuer: 'https://127.0.0.1:9', clientId: 'tappaas', cliClientId: 'tappaas-cli' }],
      },
    },
    serviceaccounts: { use: '@tappaas/identity-serviceaccount' },
    tokens: { use: '@tappaas/identity-token' },
    secrets: { use: '@tappaas/secrets-local', config: { directory: join(directory, 'secrets'), keyFile: join(directory, 'key') } },
    // Nobody answers there: sockets go on with what their own process knows.
    'sockets-redis': { use: '@tappaas/sockets-redis', config: { url: `unix://${join(directory, 'no-redis')}` } },
    audit: { use: '@tappaas/telemetry-audit-file', config: { directory: join(directory, 'audit') } },
    receiver: { use: '@tappaas/telemetry-audit-webhook', config: { url: `http://127.0.0.1:${port}/lines`, allowPlainHttp: true } },
    graphiql: { use: '@tappaas/ui-graphiql' },
  };
  const known = [...usual, ...Object.keys(leftOut), ...Object.values(plugins).map(({ use }) => use.slice('@tappaas/'.length))].toSorted();
  const shipped = (await readdir(join(root, 'plugins'))).toSorted();
  if (known.join() !== shipped.join()) {
    throw new Error(`every-plugin.ts knows the plugins ${known.join(', ')}, and ${shipped.join(', ')} are shipped`);
  }
  return {
    plugins,
    async close() {
      receiver.closeAllConnections();
      await new Promise((done) => void receiver.close(done));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
