import type { AuditedRequest } from '../../ports/audit.js';

const secretive = /secret|token|credential|password/;
const plainParts: readonly (string | undefined)[] = [undefined, 'status', 'scale'];
const identityGroup = 'authentication.k8s.io';

/**
 * Whether the bodies of a request are never recorded, whatever the policy says: those of secrets and of everything that hands out
 * credentials, and those that are no objects (actions, routes of plugins, logs), whose form nobody here knows.
 */
export function isConfidential({ target }: AuditedRequest): boolean {
  if (target === undefined || !plainParts.includes(target.subresource)) return true;
  return secretive.test(target.kind.plural) || target.kind.group === identityGroup;
}
