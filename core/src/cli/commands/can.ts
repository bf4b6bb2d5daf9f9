import { requestedAccess, mountOf, type RequestedAccess } from '../requested-access.js';
import { exitCodes, type Invocation } from '../command.js';
import { print } from '../print.js';

interface Review {
  readonly status?: { readonly allowed?: boolean; readonly reason?: string };
}

const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** `tappaas can VERB RESOURCE [NAME]`: exits with 1 for no, for use in scripts. */
export async function can(invocation: Invocation): Promise<number> {
  const [verb = '', text = '', name] = invocation.positionals;
  const client = await invocation.client();
  const mount = mountOf(invocation);
  const requested = await requestedAccess(client, mount, text);
  const spec = specOf(verb, requested, invocation.options['all-namespaces'] === true ? undefined : invocation.namespace, name);
  const body = JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec });
  const { allowed = false, reason = '' } = (await client.json<Review>(`${mount}${reviews}`, { method: 'POST', body }))?.status ?? {};
  await print(invocation, { allowed, reason }, () => `${allowed ? 'yes' : 'no'}${reason === '' ? '' : ` - ${reason}`}\n`);
  return allowed ? exitCodes.ok : exitCodes.failed;
}

function specOf(verb: string, requested: RequestedAccess, namespace: string | undefined, name: string | undefined): object {
  if ('path' in requested) return { nonResourceAttributes: { verb, path: requested.path } };
  const { group, resource, subresource, isNamespaced } = requested;
  const place = isNamespaced && namespace !== undefined ? { namespace } : {};
  return {
    resourceAttributes: { verb, group, resource, ...(subresource && { subresource }), ...place, ...(name !== undefined && { name }) },
  };
}
