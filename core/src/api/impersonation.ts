import type { Caller } from '@tappaas/sdk';
import { apiErrors } from './errors.js';
import type { Exchange } from './exchange.js';
import type { Authorize } from './stages.js';

const groupsMax = 64;
const nameCharsMax = 256;
const printable = /^[\x20-\x7e]+$/;
const authenticatedGroup = 'system:authenticated';

/**
 * Acting as somebody else (`kubectl --as`): each name and group must be allowed to the real caller by the verb `impersonate`.
 * What narrows the real caller, tenant and scope of the credential, narrows whom it acts as. Uid and extra are not known here and refused, so that nobody believes they had an effect.
 *
 * @throws TAP_REQUEST_FORBIDDEN, TAP_REQUEST_HEADER_INVALID
 */
export async function impersonate(authorize: Authorize, exchange: Exchange): Promise<void> {
  const { headers } = exchange.request;
  const name = exchange.header('impersonate-user');
  const groups = exchange.request.headersDistinct['impersonate-group'] ?? [];
  const unknown = Object.keys(headers).find((each) => each === 'impersonate-uid' || each.startsWith('impersonate-extra-'));
  if (unknown !== undefined) throw invalid(unknown, 'is not supported; send Impersonate-User and Impersonate-Group');
  if (name === undefined && groups.length === 0) return;
  if (name === undefined || name === '') throw invalid('impersonate-group', 'needs Impersonate-User beside it');
  if (groups.length > groupsMax) throw invalid('impersonate-group', `names ${groups.length} groups, at most ${groupsMax} are allowed`);
  exchange.annotations.set('tappaas.dev/impersonate-user', name);
  for (const each of [name, ...groups]) {
    if (each.length > nameCharsMax || !printable.test(each))
      throw invalid('impersonate-user', `expected at most ${nameCharsMax} printable characters`);
  }
  await check(authorize, exchange, 'users', name);
  for (const group of groups) await check(authorize, exchange, 'groups', group);
  const { tenant, scope } = exchange.caller;
  exchange.impersonated = {
    name,
    groups: [...new Set([...groups, authenticatedGroup])],
    ...(tenant !== undefined && { tenant }),
    ...(scope !== undefined && { scope }),
  };
}

async function check(authorize: Authorize, exchange: Exchange, plural: 'users' | 'groups', name: string): Promise<void> {
  const caller: Caller = exchange.caller;
  const resource = { group: '', version: 'v1', plural, name };
  const decided = await authorize({ caller, engine: exchange.info.engine, verb: 'impersonate', resource });
  const { decision, reason } = decided;
  if (decision === 'allow') return;
  exchange.decision = decided;
  const because = reason === '' ? '' : `: ${reason}`;
  throw apiErrors.TAP_REQUEST_FORBIDDEN({
    message: `${plural} "${name}" is forbidden: user "${caller.name}" cannot impersonate it${because}`,
  });
}

function invalid(header: string, problem: string): Error {
  return apiErrors.TAP_REQUEST_HEADER_INVALID({ message: `header ${header} ${problem}` });
}
