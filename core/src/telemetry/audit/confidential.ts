import type { AuditedRequest } from '../../ports/audit.js';

const secretive = /secret|token|credential|password/;
const plainParts: readonly (string | undefined)[] = [undefined, 'status', 'scale'];
const identityGroup = 'authentication.k8s.io';

/**
 * Whether the bodies of a request must never be recorded, regardless of the policy: those of secrets and of anything that issues
 * credentials, and those that are not objects (actions, plugin routes, logs), whose form is unknown here.
 */
export function isConfidential({ target }: AuditedRequest): boolean {
  if (target === undefined || !plainParts.includes(target.subresource)) return true;
  return secretive.test(target.kind.plural) || target.kind.group === identityGroup;
}
