import type { AccessRequest } from '@tappaas/sdk';
import { pathForAccess } from '../api/plugin-routes.js';
import type { Kernel } from '../kernel/kernel.js';
import { platformEngine } from '../api/request-info.js';

/** A question about a path, put as a request for it would be: reviews and `who-can` answer for what is served. */
export function asRolesKnowIt<Q extends Pick<AccessRequest, 'engine' | 'verb' | 'path'>>(
  question: Q,
  kernel: Pick<Kernel, 'registrations'>,
): Q {
  const { engine, verb, path } = question;
  if (path === undefined) return question;
  const served = engine === platformEngine ? kernel.registrations().routes : [];
  const routes = served.map(({ plugin, value }) => ({ instance: plugin, ...value }));
  return { ...question, path: pathForAccess(routes, verb, path) };
}
