/** One-member etcd as the peer of the store: started when it is installed, spoken to in plain gRPC so that no client slows it down. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type ClientHttp2Session } from 'node:http2';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A running member. */
export interface Etcd {
  /** Puts a key that must not exist yet, durably. */
  create(key: string, value: Uint8Array): Promise<void>;
  stop(): Promise<void>;
}

/** Undefined where no `etcd` is installed. */
export async function startEtcd(): Promise<Etcd | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-etcd-'));
  const [clientPort, peerPort] = [await freePort(), await freePort()];
  const urls = { client: `http://127.0.0.1:${clientPort}`, peer: `http://127.0.0.1:${peerPort}` };
  const options = {
    'data-dir': directory,
    'listen-client-urls': urls.client,
    'advertise-client-urls': urls.client,
    'listen-peer-urls': urls.peer,
    'initial-advertise-peer-urls': urls.peer,
    'initial-cluster': `default=${urls.peer}`,
    'log-level': 'error',
  };
  const member = spawn(
    'etcd',
    Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    { stdio: 'ignore' },
  );
  const remove = () => rm(directory, { recursive: true, force: true });
  if (!(await starts(member))) {
    await remove();
    return undefined;
  }
  const session = await connected(urls.client, member);
  return {
    create: (key, value) => call(session, '/etcdserverpb.KV/Txn', createRequest(Buffer.from(key), value)),
    stop: async () => {
      session.close();
      const ended = once(member, 'exit');
      member.kill('SIGKILL');
      await ended;
      await remove();
    },
  };
}

async function starts(member: ChildProcess): Promise<boolean> {
  return Promise.race([once(member, 'spawn').then(() => true), once(member, 'error').then(() => false)]);
}

async function connected(url: string, member: ChildProcess): Promise<ClientHttp2Session> {
  for (let attempt = 0; ; attempt++) {
    if (attempt === 200 || member.exitCode !== null) throw new Error('etcd did not answer within 10 s');
    const session = connect(url);
    try {
      await Promise.race([once(session, 'connect'), once(session, 'error').then(([error]) => Promise.reject(error as Error))]);
      await call(session, '/etcdserverpb.KV/Txn', createRequest(Buffer.from('first'), new Uint8Array(1)));
      return session;
    } catch {
      session.destroy();
      await sleep(50);
    }
  }
}

/** One unary call; fails unless gRPC's own status is 0. */
function call(session: ClientHttp2Session, path: string, message: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
    stream.on('error', reject);
    stream.on('trailers', (trailers) =>
      trailers['grpc-status'] === '0' ? resolve() : reject(new Error(String(trailers['grpc-message']))),
    );
    stream.resume();
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.byteLength, 1);
    stream.end(Buffer.concat([prefix, message]));
  });
}

/** A transaction: if the key's mod revision is 0, put. Field numbers are those of etcd's rpc.proto. */
function createRequest(key: Uint8Array, value: Uint8Array): Uint8Array {
  const modRevisionIsZero = Buffer.concat([field(2, varint(2), 0), field(3, key, 2), field(6, varint(0), 0)]);
  const put = Buffer.concat([field(1, key, 2), field(2, value, 2)]);
  return Buffer.concat([field(1, modRevisionIsZero, 2), field(2, field(2, put, 2), 2)]);
}

/** A protobuf field: wire type 0 is a number, 2 is bytes with their length. */
function field(number: number, content: Uint8Array, wireType: 0 | 2): Uint8Array {
  const length = wireType === 2 ? [varint(content.byteLength)] : [];
  return Buffer.concat([varint((number << 3) | wireType), ...length, content]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
