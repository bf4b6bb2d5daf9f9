import { createAdapter } from '@socket.io/redis-streams-adapter';
import type { Logger, SocketAdapter } from '@tappaas/sdk';
import { createClient } from 'redis';
import { errors } from './errors.js';

export interface RedisAdapterOptions {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly streamName: string;
  readonly messagesMax: number;
  readonly connectMsMax: number;
  readonly log: Logger;
}

type Client = ReturnType<typeof clientOf>;

const commandsMax = 1000;
const reconnectMsMax = 5000;

/** The adapter, with a function that closes its connection. */
export interface RedisAdapter extends SocketAdapter {
  close(): void;
}

export function redisAdapter(options: RedisAdapterOptions): RedisAdapter {
  let opened: Promise<{ client: Client; make: ReturnType<typeof createAdapter> }> | undefined;
  const open = async (): Promise<{ client: Client; make: ReturnType<typeof createAdapter> }> => {
    const client = clientOf(options);
    client.on('error', (error: Error) =>
      options.log.warn('Redis, which joins the sockets of the processes, has a problem', { error: error.message }),
    );
    try {
      await client.connect();
    } catch (cause) {
      client.destroy();
      throw errors.SOCKETS_REDIS_UNREACHABLE({
        message: `Redis does not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause,
      });
    }
    const { streamName, messagesMax } = options;
    return { client, make: createAdapter(publishing(client, options.log), { streamName, channelPrefix: streamName, maxLen: messagesMax }) };
  };
  return {
    description: 'A stream of Redis.',
    async open() {
      opened ??= open();
      opened.catch(() => (opened = undefined));
      return { make: (await opened).make };
    },
    close() {
      void opened?.then(({ client }) => client.destroy()).catch(() => {});
      opened = undefined;
    },
  };
}

function clientOf({ url, username, password, connectMsMax }: RedisAdapterOptions) {
  let wasReady = false;
  const place = url.startsWith('unix://') ? { path: url.slice('unix://'.length) } : {};
  const client = createClient({
    ...(url.startsWith('unix://') ? {} : { url }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    RESP: 2,
    commandsQueueMaxLength: commandsMax,
    socket: {
      ...place,
      connectTimeout: connectMsMax,
      // The first connection is tried once, so that its caller gets the error; a lost one is retried forever.
      reconnectStrategy: (retries: number) => wasReady && Math.min(reconnectMsMax, 100 * 2 ** retries),
    },
  });
  client.once('ready', () => {
    wasReady = true;
  });
  return client;
}

/**
 * Catches failed publishes: the library ignores the promise of `publish`, and an unhandled rejection would end the process, as all of them
 * are rejected while Redis is unavailable. The next round requests lost data again.
 */
function publishing(client: Client, log: Logger): Client {
  return new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (name !== 'publish') return member.bind(target) as unknown;
      return async (channel: string, message: string | Buffer): Promise<number> => {
        try {
          return await target.publish(channel, message);
        } catch (error) {
          log.debug('a message to the other processes was lost', { error: error instanceof Error ? error.message : String(error) });
          return 0;
        }
      };
    },
  });
}
