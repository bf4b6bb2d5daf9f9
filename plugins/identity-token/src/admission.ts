import { change, deny, type AccessScope, type AdmissionRequest, type Clock, type Context, type Denial, type Immutable } from '@tappaas/sdk';
import type { ApiToken, ApiTokenObject } from './contract.js';
import { makerDenials, makerOf } from './made-with.js';
import { excessRights, isAdministrator, isReserved, tenantDenials } from './rights.js';
import { scopeDenials } from './scope.js';
import { dayMs, type Settings } from './settings.js';

type Request = AdmissionRequest<typeof ApiToken>;

/** Fills in defaults from the creator and its credential: user, groups, tenant, scope and expiry. */
export function completeToken(
  { operation, object, caller }: Request,
  { lifetimeDays }: Settings,
  clock: Pick<Clock, 'nowMs'>,
): Immutable<ApiTokenObject> | undefined {
  if (operation !== 'create') return undefined;
  const { name, groups, tenant, scope } = caller;
  return change<ApiTokenObject>(object, ({ spec }) => {
    spec.user ??= name;
    // Reserved groups are left out: the platform adds its own groups to each request.
    spec.groups ??= spec.user === name ? groups.filter((group) => !isReserved(group)) : [];
    if (tenant !== undefined && spec.user === name && spec.withoutTenant !== true) spec.tenant ??= tenant;
    if (scope !== undefined) spec.scope ??= copyOf(scope);
    const maker = makerOf(caller);
    if (maker !== undefined) spec.madeWith = maker;
    const latestMs = maker === undefined ? Infinity : (caller.credential?.expiresAtMs ?? Infinity);
    spec.expiresAt ??= new Date(Math.min(clock.nowMs() + lifetimeDays * dayMs, latestMs)).toISOString();
  });
}

function copyOf({ namespaces, verbs }: AccessScope): NonNullable<ApiTokenObject['spec']['scope']> {
  return { ...(namespaces && { namespaces: [...namespaces] }), ...(verbs && { verbs: [...verbs] }) };
}

/** Validates a token. `issuer` is the user name of the plugin itself, which alone may write the id and hash of the secret. */
export async function checkToken(
  { object, previous, caller }: Request,
  { lifetimeDaysMax }: Settings,
  issuer: string,
  { clock, asPlugin }: Pick<Context, 'clock' | 'asPlugin'>,
): Promise<readonly Denial[]> {
  // A caller who impersonates the plugin (`--as`) has its name, but not its group.
  if (caller.name === issuer && isAdministrator(caller)) return [];
  const { spec } = object;
  const denials: Denial[] = [
    ...excessRights(spec, caller),
    ...(previous === undefined ? tenantDenials(spec, caller) : []),
    ...(await scopeDenials(spec, previous?.spec, asPlugin)),
    ...(await makerDenials(spec, previous?.spec, caller, { asPlugin })),
  ];
  if (spec.tokenId !== previous?.spec.tokenId || spec.sha256 !== previous?.spec.sha256) {
    denials.push(deny({ field: 'spec.sha256', reason: 'WrittenByIssue', message: 'is written when the token is issued' }));
  }
  const untilMs = spec.expiresAt === undefined ? Infinity : Date.parse(spec.expiresAt);
  const endMs = clock.nowMs() + lifetimeDaysMax * dayMs;
  if (spec.expiresAt !== previous?.spec.expiresAt && untilMs > endMs) {
    const latest = new Date(endMs).toISOString();
    denials.push(
      deny({
        field: 'spec.expiresAt',
        reason: 'LivesTooLong',
        message: `expected ${latest} or earlier, found ${spec.expiresAt ?? 'no end'}`,
      }),
    );
  }
  return denials;
}
