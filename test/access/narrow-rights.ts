/** People who may see one kind and nothing else: what leads from it to others is refused to them, until they may see that, too. */
import { make } from '../attacks/running-platform.ts';
import { call, eventually } from '../platform-process.ts';
import type { NestedField } from './graphql-fields.ts';
import { isForbidden } from './graphql-schema.ts';
import { rbac, type AccessWorld } from './world.ts';

/** What a role allows. */
interface Right {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
}

const right = (verb: string, group: string, resource: string): Right => ({ verbs: [verb], apiGroups: [group], resources: [resource] });
const releases = right('get', 'apps.tappaas.dev', 'releases');
const applications = right('get', 'apps.tappaas.dev', 'applications');

/** Rights for fields whose type names no kind: the place of an application comes from its release. */
const byField: Readonly<Record<string, readonly Right[]>> = {
  'Application.pods': [releases, right('list', '', 'pods')],
  'Application.logs': [releases, right('get', '', 'pods/log')],
  'Application.configuration': [releases],
  'Event.object': [applications],
  'Operation.object': [applications],
  'Release.object': [applications],
};

/** What is of no namespace is about all tenants. */
const oversee = right('oversee', 'platform.tappaas.dev', 'tenants');
/** Objects owned by a user of a tenant, who never has access to objects without a namespace. */
const personal = 'identity.tappaas.dev';

/** A question, the rights that do not suffice for it, and those that are missing. */
export interface NarrowQuestion {
  readonly where: string;
  readonly isNamespaced: boolean;
  readonly text: string;
  readonly rights: readonly Right[];
  readonly missing: readonly Right[];
}

/** Of fields that lead further. */
export function narrowQuestions(fields: readonly NestedField[]): readonly NarrowQuestion[] {
  return fields.flatMap(({ where, parent, needs: [, nested], text }) => {
    if (parent === undefined || parent.group === personal || nested === undefined || text === undefined) return [];
    const [verb = '', target = ''] = nested.split(' ');
    const [group = '', resource = ''] = target.split('/');
    const missing = verb === 'FIELD' ? byField[where] : [right(verb, group, resource)];
    if (missing === undefined) throw new Error(`narrow-rights.ts does not know what ${where} needs`);
    const { isNamespaced } = parent;
    const rights = [right('get', parent.group, parent.resource), ...(isNamespaced ? [] : [oversee])];
    return [{ where, isNamespaced, text, rights, missing }];
  });
}

/** Requests that are allowed with too few rights, or refused with enough. */
export async function narrowDifferences(world: AccessWorld, questions: readonly NarrowQuestion[]): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const question of questions) {
    const received = await decisionWith(world, `enough-${question.where}`, question, [...question.rights, ...question.missing]);
    if (isForbidden(received)) problems.push(`${question.where}: refused with ${JSON.stringify(question.missing)}: ${received}`);
    for (const without of question.missing) {
      const rights = [...question.rights, ...question.missing.filter((each) => each !== without)];
      const needed = await decisionWith(world, `less-${question.where}-${without.resources.join()}`, question, rights);
      if (!isForbidden(needed)) problems.push(`${question.where}: let in without ${JSON.stringify(without)}: ${needed}`);
    }
  }
  return problems;
}

/** The response to a user with these rights, once they are in effect. */
async function decisionWith(
  { connection }: AccessWorld,
  called: string,
  { isNamespaced, text }: NarrowQuestion,
  rules: readonly Right[],
): Promise<string> {
  const name = called.toLowerCase().replaceAll(/[^a-z-]+/g, '-');
  await make(connection, `${rbac}/clusterroles`, { metadata: { name }, rules });
  await make(connection, isNamespaced ? `${rbac}/namespaces/shop/rolebindings` : `${rbac}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }],
  });
  // What has no namespace is for nobody of a tenant.
  const tenant = isNamespaced ? { 'impersonate-extra-tappaas.dev%2ftenant': 'acme' } : undefined;
  const headers = { 'impersonate-user': name, ...tenant };
  const [known] = rules;
  if (known === undefined) throw new Error(`${called} has no right`);
  await eventually(
    () => mayDo(connection, headers, isNamespaced, known),
    (may) => may,
  );
  return (await call(connection, 'POST', '/graphql', { query: text }, undefined, headers)).text;
}

/** Whether the user is allowed the request; a role takes effect with all its rules at once. */
async function mayDo(
  connection: AccessWorld['connection'],
  headers: Readonly<Record<string, string>>,
  isNamespaced: boolean,
  { verbs: [verb], apiGroups: [group], resources: [resource = ''] }: Right,
): Promise<boolean> {
  const [plural, subresource] = resource.split('/');
  const resourceAttributes = {
    verb,
    group,
    resource: plural,
    ...(subresource && { subresource }),
    ...(isNamespaced && { namespace: 'shop' }),
  };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const answer = await call(connection, 'POST', path, { spec: { resourceAttributes } }, undefined, headers);
  return answer.json<{ status: { allowed: boolean } }>().status.allowed;
}

/** A change that begins an operation, which is returned only to users who may see operations. */
export const changeWithOperation: NarrowQuestion = {
  where: 'UpdateApplicationPayload.operation',
  isNamespaced: true,
  text: 'mutation { updateApplication(input: { namespace: "shop", name: "hello", labels: [] }) { operation { name } userErrors { code message } } }',
  rights: [{ verbs: ['get', 'patch'], apiGroups: ['apps.tappaas.dev'], resources: ['applications'] }],
  missing: [right('list', 'ops.tappaas.dev', 'operations')],
};
