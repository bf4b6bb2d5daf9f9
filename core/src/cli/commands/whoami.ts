import { exitCodes, type Invocation } from '../command.js';
import { print } from '../print.js';

const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

interface UserInfo {
  readonly username?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** `tappaas whoami` */
export async function whoami(invocation: Invocation): Promise<number> {
  const client = await invocation.client();
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
  const review = await client.json<{ readonly status?: { readonly userInfo?: UserInfo } }>(path, { method: 'POST', body });
  const user = review?.status?.userInfo ?? {};
  await print(invocation, user, () => describe(user, client.server));
  return exitCodes.ok;
}

const labels: Readonly<Record<string, string>> = {
  'tappaas.dev/tenant': 'Tenant',
  'tappaas.dev/scope-namespaces': 'Good for namespaces',
  'tappaas.dev/scope-verbs': 'Good for verbs',
};

function describe({ username = '-', groups = [], extra = {} }: UserInfo, server: string): string {
  const rows: readonly (readonly [string, string])[] = [
    ['User', username],
    ['Groups', groups.join(', ') || '-'],
    ...Object.entries(extra).map(([name, values]) => [labels[name] ?? name, values.join(', ') || 'none'] as const),
    ['Platform', server],
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 3;
  return rows.map(([label, value]) => `${label.padEnd(width)}${value}\n`).join('');
}
