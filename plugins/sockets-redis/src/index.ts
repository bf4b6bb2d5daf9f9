import { definePlugin, families } from '@tappaas/sdk';
import { config } from './config.js';
import { redisAdapter, type RedisAdapter } from './redis-adapter.js';

/** Connects the socket servers of several processes through a Redis stream. */
export default definePlugin({
  id: 'sockets-redis',
  stability: 'experimental',
  config,
  example: { url: 'redis://127.0.0.1:6379' },
  setup(host, { password, ...settings }) {
    let adapter: RedisAdapter | undefined;
    host.provide(
      families.socketAdapter,
      (context) => {
        adapter = redisAdapter({ ...settings, ...(password !== undefined && { password: password.text() }), log: context.log });
        return adapter;
      },
      () => adapter?.close(),
    );
  },
});
