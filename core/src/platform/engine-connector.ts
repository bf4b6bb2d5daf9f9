import type { LocalCertificates } from '../api/certificates/certificates.js';
import { platformErrors } from './errors.js';
import type { Foundation } from './foundation.js';
import type { PrimaryCalls } from './workers/calls.js';

/**
 * Makes the function that gives processes of a plugin access to its engine: on the platform's own listener, with a certificate of its
 * authority.
 */
export function engineConnector(
  { engines, identity }: Pick<Foundation, 'engines' | 'identity'>,
  server: string,
  { authority: certificateAuthority }: LocalCertificates,
): PrimaryCalls['connectEngine'] {
  return async (engine, user) => {
    if (!engines.all.has(engine)) throw platformErrors.TAP_ENGINE_NOT_SERVED({ message: `there is no engine ${engine}` });
    const clientCertificate = await identity.processes.issue(engine, user);
    return { server: `${server}/clusters/${engine}`, certificateAuthority, clientCertificate };
  };
}
