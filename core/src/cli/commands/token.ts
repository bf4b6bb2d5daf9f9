import { ApiError, type Client } from '@tappaas/client';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { printList } from '../listed.js';
import { print } from '../print.js';

const path = '/apis/identity.tappaas.dev/v1alpha1/apitokens';
const pathOf = (name: string): string => `${path}/${encodeURIComponent(name)}`;

interface ApiToken {
  readonly metadata: { readonly name: string; readonly creationTimestamp?: string };
  readonly spec: {
    readonly user?: string;
    readonly groups?: readonly string[];
    readonly tenant?: string;
    readonly withoutTenant?: boolean;
    readonly description?: string;
    readonly expiresAt?: string;
    readonly madeWith?: { readonly name: string };
    readonly scope?: { readonly namespaces?: readonly string[]; readonly verbs?: readonly string[] };
  };
  readonly status?: {
    readonly lastUsedTime?: string;
    readonly conditions?: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
  };
}

interface Issued {
  readonly token: string;
  readonly expiresAt?: string;
}

const verbs: Readonly<Record<string, (invocation: Invocation, name: string) => Promise<number>>> = { create, describe, revoke };

/** `tappaas token create|list|describe|revoke|rotate-admin` */
export async function token(invocation: Invocation): Promise<number> {
  const [verb = '', name] = invocation.positionals;
  if (verb === 'list' && name === undefined) return list(invocation);
  if (verb === 'rotate-admin' && name === undefined) return (await import('../admin-token.js')).rotateAdminToken(invocation);
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (run !== undefined && name !== undefined) return run(invocation, name);
  throw usage(run === undefined ? `"${verb}" is unknown` : `${verb} needs the name of a token`);
}

async function create(invocation: Invocation, name: string): Promise<number> {
  const client = await invocation.client();
  const body = JSON.stringify({
    apiVersion: 'identity.tappaas.dev/v1alpha1',
    kind: 'ApiToken',
    metadata: { name },
    spec: specOf(invocation),
  });
  try {
    await client.json<ApiToken>(path, { method: 'POST', body });
  } catch (error) {
    throw withFlags(error);
  }
  const issued = await issue(client, name);
  await print(invocation, { name, ...issued }, () => shown(name, issued));
  return exitCodes.ok;
}

/** Issues the secret. If that fails, removes the token, which would otherwise block the next attempt. */
async function issue(client: Client, name: string): Promise<Issued> {
  try {
    const issued = await client.json<Issued>(`${pathOf(name)}/issue`, { method: 'POST', body: '{}' });
    if (issued !== undefined) return issued;
    throw unknownToken(name);
  } catch (error) {
    await client.send(pathOf(name), { method: 'DELETE' });
    throw error;
  }
}

/** What the API asks for in a field of the token is given here by a flag. */
function withFlags(error: unknown): unknown {
  if (!(error instanceof ApiError) || !error.causes.some(({ reason }) => reason === 'TenantRequired')) return error;
  return new CliError(error.message, {
    remedy: 'Add --tenant NAME, or --no-tenant for somebody of no tenant.',
    exitCode: exitCodes.failed,
    cause: error,
  });
}

function shown(name: string, issued: Issued): string {
  const until = issued.expiresAt === undefined ? '' : `, good until ${issued.expiresAt}`;
  return `${issued.token}\n\nToken "${name}"${until}. It is shown this once.\nEnd it: tappaas token revoke ${name}\n`;
}

async function list(invocation: Invocation): Promise<number> {
  const client = await invocation.client();
  return printList(invocation, client, path, 'No API tokens. Make one: tappaas token create NAME\n');
}

async function describe(invocation: Invocation, name: string): Promise<number> {
  const found = await (await invocation.client()).json<ApiToken>(pathOf(name));
  if (found === undefined) throw unknownToken(name);
  await print(invocation, found, () => described(found));
  return exitCodes.ok;
}

function described({ metadata, spec, status }: ApiToken): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Name', metadata.name],
    ['User', spec.user],
    ['Groups', spec.groups?.join(', ')],
    ['Tenant', spec.tenant],
    ['Namespaces', spec.scope?.namespaces?.join(', ') ?? 'all'],
    ['Verbs', spec.scope?.verbs?.join(', ') ?? 'all'],
    ['State', ready && `${ready.reason}: ${ready.message}`],
    ['Created', metadata.creationTimestamp],
    ['Expires', spec.expiresAt ?? 'never'],
    ...(spec.madeWith === undefined ? [] : ([['Made with', `token "${spec.madeWith.name}", and ends with it`]] as const)),
    ['Last used', status?.lastUsedTime ?? 'not yet'],
    ['Description', spec.description],
  ];
  return rows.map(([label, value]) => `${label.padEnd(13)}${value === undefined || value === '' ? '-' : value}\n`).join('');
}

async function revoke(invocation: Invocation, name: string): Promise<number> {
  const gone = await (await invocation.client()).json<object>(pathOf(name), { method: 'DELETE' });
  if (gone === undefined) throw unknownToken(name);
  await print(invocation, { name, revoked: true }, () => `Token "${name}" is revoked.\n`);
  return exitCodes.ok;
}

function specOf({ terminal, options }: Invocation): ApiToken['spec'] {
  const text = (option: string) => (typeof options[option] === 'string' ? options[option] : undefined);
  const words = (option: string) =>
    text(option)
      ?.split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
  const [user, tenant, description, expires] = [text('user'), text('tenant'), text('description'), text('expires')];
  const [groups, namespaces, allowed] = [words('groups'), words('namespaces'), words('verbs')];
  const scope = { ...(namespaces && { namespaces }), ...(allowed && { verbs: allowed }) };
  return {
    ...(user && { user }),
    ...(groups && { groups }),
    ...(tenant && { tenant }),
    ...(options['no-tenant'] === true && { withoutTenant: true }),
    ...(description && { description }),
    ...(expires && { expiresAt: new Date(terminal.nowMs() + durationMs(expires)).toISOString() }),
    ...(Object.keys(scope).length > 0 && { scope }),
  };
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(text: string): number {
  const { count, unit = '' } = /^(?<count>[1-9]\d{0,5})(?<unit>[mhd])$/.exec(text)?.groups ?? {};
  const ms = unitMs[unit];
  if (count === undefined || ms === undefined)
    throw usage(`--expires "${text}": expected a number of minutes, hours or days, such as 30m, 12h or 90d`);
  return Number(count) * ms;
}

function usage(problem: string): CliError {
  return new CliError(`token: ${problem}`, {
    remedy: 'Usage: tappaas token create|describe|revoke NAME, tappaas token list, or tappaas token rotate-admin   (tappaas token --help)',
    exitCode: exitCodes.usage,
  });
}

function unknownToken(name: string): CliError {
  return new CliError(`there is no API token "${name}"`, { remedy: 'tappaas token list shows them.', exitCode: exitCodes.failed });
}
