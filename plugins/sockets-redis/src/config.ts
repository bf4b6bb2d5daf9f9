import { secret, Type } from '@tappaas/sdk';

export const config = Type.Object({
  url: Type.String({
    pattern: '^(rediss?|unix)://',
    description: 'Address of Redis 6.2 or later: redis://HOST:PORT/DATABASE, rediss:// with TLS, or unix:///path/of/socket.',
  }),
  username: Type.Optional(Type.String({ description: 'User of Redis; without one, its default user.' })),
  password: Type.Optional(secret({ description: 'Password of the user. Default: none.' })),
  streamName: Type.String({
    default: 'tappaas-sockets',
    maxLength: 200,
    description: 'Name of the stream and of the channels beside it; platforms that share a Redis take different ones.',
  }),
  messagesMax: Type.Integer({
    default: 10_000,
    minimum: 100,
    maximum: 1_000_000,
    description: 'Approximate number of messages kept in the stream.',
  }),
  connectMsMax: Type.Integer({
    default: 5_000,
    minimum: 100,
    maximum: 60_000,
    description: 'Longest wait for a connection, milliseconds.',
  }),
});
