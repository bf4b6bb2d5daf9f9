/** The whole platform over HTTPS with a hundred objects that clients read. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { platformHome, storeOnly } from '../../platform-process.ts';
import { exchange, openSocket, requestText, type Place } from './load.ts';

export const collection = '/api/v1/namespaces/default/configmaps';
export const objects = 100;
/** The client is one administrator, whose rate would be what is measured. */
const flow = { system: { perSecond: 10_000_000, burst: 10_000_000 } };

export interface WholePlatform {
  readonly place: Place;
  readonly directory: string;
  readonly pid: number | undefined;
  /** A request for each of the objects. */
  readonly reads: readonly Buffer[];
}

/** Starts it with its objects, and stops it when `use` is done. */
export async function withPlatform<T>(workers: number, use: (platform: WholePlatform) => Promise<T>): Promise<T> {
  const home = await platformHome({ plugins: storeOnly, api: { workers, flow } });
  const platform = await home.start();
  try {
    const place = await placeOf(home.directory);
    const socket = await openSocket(place);
    for (let index = 0; index < objects; index += 1)
      await exchange(socket, requestText('POST', collection, place.token, configMap(`c${index}`)));
    socket.destroy();
    const reads = Array.from({ length: objects }, (_, index) => requestText('GET', `${collection}/c${index}`, place.token));
    return await use({ place, directory: home.directory, pid: platform.child.pid, reads });
  } finally {
    await platform.stop();
    await home.remove();
  }
}

async function placeOf(directory: string): Promise<Place> {
  const config = parse(await readFile(join(directory, 'data/kubeconfig'), 'utf8')) as {
    clusters: { cluster: { server: string } }[];
    users: { user: { token: string } }[];
  };
  return {
    port: Number(new URL(config.clusters[0]?.cluster.server ?? '').port),
    token: config.users[0]?.user.token ?? '',
    authority: await readFile(join(directory, 'data/ca.pem'), 'utf8'),
  };
}

function configMap(name: string): string {
  const data = { text: 'x'.repeat(600) };
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data });
}
