/** `@tappaas/client` in browsers: the same client over `fetch` and WebSocket. */
import { clientOn, type Client, type ClientOptions } from './client.js';
import { realDevices } from './devices.js';
import { fetchTransport } from './fetch-transport.js';

export * from './exports.js';

/**
 * Creates a client; certificate authorities are the browser's own.
 *
 * @throws TypeError for a server that is neither https nor on this machine
 */
export function createClient(options: Omit<ClientOptions, 'certificateAuthority'>): Client {
  return clientOn(fetchTransport(), options, realDevices);
}
