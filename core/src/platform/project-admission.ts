import type { Access } from '../access/access.js';
import type { Admission, AdmissionRequest } from '../ports/admission.js';

/** Admission that tells taps what of the caller's rights counts where the object lies: who hands rights on may not hand on others. */
export function projectAdmission(admission: Admission, { isProjectOnly }: Pick<Access, 'isProjectOnly'>): Admission {
  const told = async (request: AdmissionRequest): Promise<AdmissionRequest> => {
    const { caller, engine } = request;
    const namespace = namespaceOf(request);
    const isOnly = await isProjectOnly({ caller, engine, ...(namespace !== undefined && { namespace }) });
    return isOnly ? { ...request, isProjectOnly: true } : request;
  };
  return {
    mutate: async (request) => admission.mutate(await told(request)),
    validate: async (request) => admission.validate(await told(request)),
    claims: (request) => admission.claims(request),
  };
}

/** A namespace lies in itself, as access has it. */
function namespaceOf({ group, kind, object }: AdmissionRequest): string | undefined {
  const { namespace, name } = (object['metadata'] ?? {}) as { readonly namespace?: string; readonly name?: string };
  return group === '' && kind === 'Namespace' ? name : namespace;
}
