import { requestedAccess, mountOf } from '../requested-access.js';
import { exitCodes, type Invocation } from '../command.js';
import { print } from '../print.js';
import { textTable } from '../table.js';

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly through: string;
  readonly tenant?: string;
  readonly withoutTenant?: true;
  readonly ofAnyTenant?: true;
}

interface Answer {
  readonly subjects: readonly Subject[];
  /** Bindings that the caller may not list, so their grants are not shown. */
  readonly hidden: readonly string[];
  /** Number of subjects of other bindings that were not examined, because there are too many. */
  readonly remaining: number;
}

/** `tappaas who-can VERB RESOURCE [NAME]` */
export async function whoCan(invocation: Invocation): Promise<number> {
  const [verb = '', text = '', name] = invocation.positionals;
  const client = await invocation.client();
  const requested = await requestedAccess(client, mountOf(invocation), text);
  const { cluster } = invocation.options;
  const query = new URLSearchParams({ verb, ...(typeof cluster === 'string' && { engine: cluster }) });
  if ('path' in requested) query.set('path', requested.path);
  else {
    const { group, resource, subresource, isNamespaced } = requested;
    const namespace = isNamespaced && invocation.options['all-namespaces'] !== true ? invocation.namespace : '';
    for (const [key, value] of Object.entries({ group, resource, subresource, namespace, name })) if (value) query.set(key, value);
  }
  const answer = (await client.json<Answer>(`/plugins/platform/who-can?${query.toString()}`)) ?? { subjects: [], hidden: [], remaining: 0 };
  await print(invocation, answer, () => describe(answer));
  return exitCodes.ok;
}

function describe({ subjects, hidden, remaining }: Answer): string {
  const rows = subjects.map((subject) => {
    const { kind, name, namespace, through } = subject;
    return [kind, namespace === undefined ? name : `${namespace}/${name}`, tenantsOf(subject), through];
  });
  const table = rows.length === 0 ? 'No subjects that you may see.\n' : textTable(['KIND', 'NAME', 'OF TENANT', 'THROUGH'], rows);
  const notes = [
    ...(hidden.length === 0 ? [] : [`Not shown: what is given by ${hidden.join(' and ')}, which you may not list.\n`]),
    ...(remaining === 0 ? [] : [`Not looked at: ${remaining} more that bindings name.\n`]),
  ];
  return notes.length === 0 ? table : `${table}\n${notes.join('')}`;
}

/** The tenant that a credential must belong to for the listed grant to apply. */
function tenantsOf({ tenant, withoutTenant, ofAnyTenant }: Subject): string {
  if (ofAnyTenant === true) return 'any';
  return [...(tenant === undefined ? [] : [tenant]), ...(withoutTenant === true || tenant === undefined ? ['none'] : [])].join(' or ');
}
