/** `@tappaas/client` on Node: objects, watches, GraphQL and rooms of a platform, with deadlines, back-off and resume. */
import { clientOn, type Client, type ClientOptions } from './client.js';
import { realDevices } from './devices.js';
import { nodeTransport } from './node-transport.js';

export * from './exports.js';

/**
 * Creates a client; it connects only when needed.
 *
 * @throws TypeError for a server that is neither https nor on this machine
 * @example
 * ```ts
 * import { createClient } from '@tappaas/client';
 * import { Application } from '@tappaas/sdk/kinds';
 *
 * const client = createClient({ server: 'https://127.0.0.1:7443', token: 'tapp_…', certificateAuthority: '…' });
 * const hello = await client.of(Application).get({ namespace: 'default', name: 'hello' });
 * ```
 */
export function createClient(options: ClientOptions): Client {
  return clientOn(nodeTransport(options.certificateAuthority), options, realDevices);
}
