import type { Access } from '../../access/access.js';
import { requested, tenancyDenials, type TenantNamespace } from '../../access/namespace-tenancy.js';
import type { Admission, AdmissionRequest } from '../../ports/admission.js';

const source = 'tappaas';

/**
 * Admission of the platform's engine: assigns namespaces to their tenant before any plugin sees them, and lets only administrators change
 * it.
 */
export function tenancyAdmission(admission: Admission, access: Pick<Access, 'isAdministrator'>): Admission {
  const isOrdinary = async (request: AdmissionRequest): Promise<boolean> =>
    request.group === '' && request.kind === 'Namespace' && !(await access.isAdministrator(request.caller));
  return {
    async mutate(request) {
      if (request.operation !== 'create' || !(await isOrdinary(request))) return admission.mutate(request);
      const object = requested(request.object as TenantNamespace, request.caller);
      const { changes, ...mutated } = await admission.mutate({ ...request, object });
      return { ...mutated, changes: [{ plugin: source, paths: ['metadata.labels', 'metadata.annotations'] }, ...changes] };
    },
    async validate(request) {
      const denials = await admission.validate(request);
      if (request.operation === 'delete' || !(await isOrdinary(request))) return denials;
      const [now, before] = [request.object as TenantNamespace, request.previous as TenantNamespace | undefined];
      return [...tenancyDenials(now, before, request.caller), ...denials];
    },
    claims: (request) => admission.claims(request),
  };
}
