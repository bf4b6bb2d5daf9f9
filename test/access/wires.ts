/** What is spoken over WebSockets: handshakes, and rooms of socket.io. */
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { allBut } from './comparison.ts';
import type { Person } from './table.ts';
import { absent, type AccessWorld } from './world.ts';

/** The right that a WebSocket path needs; undefined if the matrix does not know the path. */
const handshakes: Readonly<Record<string, { readonly path: string; readonly protocol?: string }>> = {
  '/graphql': { path: '/graphql', protocol: 'graphql-transport-ws' },
  '/socket.io/': { path: '/socket.io/?EIO=4&transport=websocket' },
  '/{objects}?watch=true': { path: '/api/v1/namespaces/shop/configmaps?watch=true' },
  ...Object.fromEntries(
    ['attach', 'exec', 'portforward'].map((part) => [
      `/clusters/local/{pods}/${part}`,
      {
        path: `/clusters/local/api/v1/namespaces/tappaas-shop/pods/${absent}/${part}?command=ls&stdout=true&ports=80`,
        protocol: 'v5.channel.k8s.io',
      },
    ]),
  ),
};

const rooms: Readonly<Record<string, object>> = {
  objects: { version: 'v1', plural: 'configmaps', namespace: 'shop' },
  events: { namespace: 'shop' },
  operations: { namespace: 'shop' },
  logs: { namespace: 'tappaas-shop', pod: absent, engine: 'local' },
  metrics: { names: ['process_cpu_seconds_total'] },
};

/** Whether access control refuses the handshake; other errors do not count. */
async function isTurnedAway(
  { connection, headersFor }: AccessWorld,
  person: Person,
  { path, protocol }: { readonly path: string; readonly protocol?: string },
): Promise<boolean> {
  const url = `${connection.server.replace('https:', 'wss:')}${path}`;
  const socket = new WebSocket(url, protocol === undefined ? [] : [protocol], {
    ca: connection.ca,
    headers: headersFor(person),
  });
  try {
    const status = await new Promise<number>((resolve, reject) => {
      socket.once('open', () => resolve(101));
      socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
      socket.once('error', reject);
    });
    return status === 401 || status === 403;
  } finally {
    socket.on('error', () => {});
    socket.terminate();
  }
}

async function isRejected({ connection, headersFor }: AccessWorld, person: Person, topic: string): Promise<boolean> {
  const socket = io(connection.server, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    ca: connection.ca.toString(),
    extraHeaders: headersFor(person),
  });
  try {
    const isIn = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('connect_error', () => resolve(false));
    });
    if (!isIn) return true;
    const { error }: { error?: { code: number } } = await socket.emitWithAck('join', { topic, ...rooms[topic] });
    return error?.code === 401 || error?.code === 403;
  } finally {
    socket.disconnect();
  }
}

/** The users who are allowed `UPGRADE path` or `ROOM topic`; undefined if the matrix does not know it. */
export async function letInto(world: AccessWorld, text: string): Promise<readonly Person[] | undefined> {
  const [wire, what = ''] = text.split(' ');
  const handshake = handshakes[what];
  if (wire === 'ROOM' ? rooms[what] === undefined : handshake === undefined) return undefined;
  return allBut((person) => (handshake === undefined ? isRejected(world, person, what) : isTurnedAway(world, person, handshake)));
}
