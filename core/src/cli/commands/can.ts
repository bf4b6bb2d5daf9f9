import { askedAccess, mountOf, type AskedAccess } from '../asked-access.js';
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
  const asked = await askedAccess(client, mount, text);
  const spec = specOf(verb, asked, invocation.options['all-namespaces'] === true ? undefined : invocation.namespace, name);
  const body = JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec });
  const { allowed = false, reason = '' } = (await client.json<Review>(`${mount}${reviews}`, { method: 'POST', body }))?.status ?? {};
  await print(invocation, { allowed, reason }, () => `${allowed ? 'yes' : 'no'}${reason === '' ? '' : ` - ${reason}`}\n`);
  return allowed ? exitCodes.ok : exitCodes.failed;
}

function specOf(verb: string, asked: AskedAccess, namespace: string | undefined, name: string | undefined): object {
  if ('path' in asked) return { nonResourceAttributes: { verb, path: asked.path } };
  const { group, resource, subresource, isNamespaced } = asked;
  const place = isNamespaced && namespace !== undefined ? { namespace } : {};
  return {
    resourceAttributes: { verb, group, resource, ...(subresource && { subresource }), ...place, ...(name !== undefined && { name }) },
  };
}
