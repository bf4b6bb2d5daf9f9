import { defineErrors } from '@tappaas/sdk';

/** Errors of the connection between the sockets of several processes. */
export const errors = defineErrors({
  SOCKETS_REDIS_UNREACHABLE: {
    httpStatus: 503,
    blame: 'upstream',
    retry: 'back-off',
    remedy: 'Start Redis, or correct url and password of this plugin; sockets work meanwhile, each process by itself.',
  },
});
