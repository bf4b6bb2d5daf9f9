import { type AccessRequest, authenticatedGroup, serviceAccountGroups, tenantLabel } from '@tappaas/sdk';
import { apiErrors } from '../errors.js';
import type { Exchange } from './exchange.js';
import type { Authorize } from '../stages.js';

const groupsMax = 64;
const nameCharsMax = 256;
const printable = /^[\x20-\x7e]+$/;

/** The only supported `extra`, with the slash percent-encoded as in header names. */
const tenantHeader = 'impersonate-extra-tappaas.dev%2ftenant';
const serviceAccountForm = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * Impersonation (`kubectl --as`): the real caller needs the verb `impersonate` on each name, group and tenant, also when the access of an
 * open impersonated stream is checked again. Limits of the real caller (tenant, credential scope) also apply to the impersonated one.
 * Uid and other extra are not supported and are refused, so that no client believes they had an effect.
 *
 * @throws TAP_REQUEST_FORBIDDEN, TAP_REQUEST_HEADER_INVALID
 */
export async function impersonate(authorize: Authorize, exchange: Exchange): Promise<void> {
  const { name, groups, tenant } = requestedIdentity(exchange);
  if (name === undefined) return;
  exchange.annotations.set('tappaas.dev/impersonate-user', name);
  const [, namespace, account] = serviceAccountForm.exec(name) ?? [];
  if (namespace === undefined || account === undefined) await check(authorize, exchange, { group: '', plural: 'users', name });
  else await check(authorize, exchange, { group: '', plural: 'serviceaccounts', namespace, name: account });
  for (const group of groups) await check(authorize, exchange, { group: '', plural: 'groups', name: group });
  if (tenant !== undefined) {
    await check(authorize, exchange, {
      group: 'authentication.k8s.io',
      plural: 'userextras',
      subresource: tenantLabel,
      name: tenant,
    });
  }
  const own = exchange.authenticated;
  const acted = tenant ?? own.tenant;
  exchange.impersonated = {
    name,
    groups: [...new Set([...(groups.length > 0 ? groups : groupsOfAccount(namespace)), authenticatedGroup])],
    ...(acted !== undefined && { tenant: acted }),
    ...(own.scope !== undefined && { scope: own.scope }),
    ...(own.credential !== undefined && { credential: own.credential }),
    ...(own.address !== undefined && { address: own.address }),
    impersonator: own.name,
  };
}

/** Returns the default groups of a service account, which apply unless the request names groups. */
const groupsOfAccount = (namespace: string | undefined): readonly string[] =>
  namespace === undefined ? [] : serviceAccountGroups(namespace);

interface RequestedIdentity {
  readonly name?: string;
  readonly groups: readonly string[];
  readonly tenant?: string;
}

function requestedIdentity(exchange: Exchange): RequestedIdentity {
  const { headers, headersDistinct } = exchange.request;
  const name = exchange.header('impersonate-user');
  const groups = headersDistinct['impersonate-group'] ?? [];
  const tenants = headersDistinct[tenantHeader] ?? [];
  const unknown = Object.keys(headers).find(
    (each) => each === 'impersonate-uid' || (each.startsWith('impersonate-extra-') && each !== tenantHeader),
  );
  if (unknown !== undefined) throw invalid(unknown, `is not supported; send Impersonate-User, Impersonate-Group and ${tenantHeader}`);
  if (tenants.length > 1) throw invalid(tenantHeader, 'was sent more than once');
  if (name === undefined && groups.length === 0 && tenants.length === 0) return { groups };
  if (name === undefined || name === '') throw invalid('impersonate-group', 'needs Impersonate-User beside it');
  if (groups.length > groupsMax) throw invalid('impersonate-group', `names ${groups.length} groups, at most ${groupsMax} are allowed`);
  for (const each of [name, ...groups, ...tenants]) {
    if (each.length > nameCharsMax || !printable.test(each))
      throw invalid('impersonate-user', `expected at most ${nameCharsMax} printable characters`);
  }
  const [tenant] = tenants;
  return { name, groups, ...(tenant !== undefined && { tenant }) };
}

type Whom = Omit<NonNullable<AccessRequest['resource']>, 'version'>;

async function check(authorize: Authorize, exchange: Exchange, whom: Whom): Promise<void> {
  const caller = exchange.authenticated;
  const decided = await authorize({ caller, engine: exchange.info.engine, verb: 'impersonate', resource: { ...whom, version: 'v1' } });
  const { decision, reason } = decided;
  if (decision === 'allow') return;
  exchange.decision = decided;
  const because = reason === '' ? '' : `: ${reason}`;
  throw apiErrors.TAP_REQUEST_FORBIDDEN({
    message: `${whom.plural} "${whom.name ?? ''}" is forbidden: user "${caller.name}" cannot impersonate it${because}`,
  });
}

function invalid(header: string, problem: string): Error {
  return apiErrors.TAP_REQUEST_HEADER_INVALID({ message: `header ${header} ${problem}` });
}
