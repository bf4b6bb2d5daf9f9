import { deny, fieldIs, type Caller, type Context, type Denial, type Immutable } from '@tappaas/sdk';
import { ApiToken, type ApiTokenObject } from './contract.js';

type Token = Immutable<ApiTokenObject>;
type Spec = Token['spec'];

/** The token that another token was created with. */
export type Maker = NonNullable<Spec['madeWith']>;

const prefix = 'apitoken';
/** Maximum number of tokens that are listed; more than can exist. */
const madeMax = 1_000_000;

/** Credential id of a token; {@link makerOf} parses it. */
export const credentialIdOf = ({ metadata: { name, uid } }: Token): string => `${prefix}:${uid}:${name}`;

/** The API token that the caller uses; undefined for other credentials, such as sessions and certificates. */
export function makerOf({ credential }: Caller): Maker | undefined {
  const [kind, uid, name] = credential?.id.split(':') ?? [];
  return kind === prefix && uid !== undefined && name !== undefined ? { name, uid } : undefined;
}

export const isMadeWith = ({ spec }: Pick<Token, 'spec'>, { uid }: Pick<Maker, 'uid'>): boolean => spec.madeWith?.uid === uid;

/**
 * Checks a token against the one that it was created with: the token must name its maker, and must not outlive it. Otherwise a credential
 * that is valid for an hour could create one that is valid for a year.
 */
export async function makerDenials(
  spec: Spec,
  previous: Spec | undefined,
  caller: Caller,
  { asPlugin }: Pick<Context, 'asPlugin'>,
): Promise<readonly Denial[]> {
  const { madeWith, expiresAt } = spec;
  const maker = makerOf(caller);
  if (previous === undefined && (madeWith?.uid !== maker?.uid || madeWith?.name !== maker?.name)) {
    return [deny({ field: 'spec.madeWith', reason: 'WrittenByPlatform', message: 'is written when the token is made with another one' })];
  }
  if (madeWith === undefined || expiresAt === previous?.expiresAt) return [];
  const known = await asPlugin.get(ApiToken, { name: madeWith.name });
  const endMs = known?.metadata.uid === madeWith.uid ? endOf(known.spec) : -Infinity;
  if (endOf(spec) <= endMs) return [];
  const latest = endMs === -Infinity ? 'the token to be there' : `${known?.spec.expiresAt ?? ''} or earlier`;
  const message = `expected ${latest}, as it was made with the token "${madeWith.name}"; found ${expiresAt ?? 'no end'}`;
  return [deny({ field: 'spec.expiresAt', reason: 'OutlivesItsMaker', message })];
}

export const endOf = ({ expiresAt }: Spec): number => (expiresAt === undefined ? Infinity : Date.parse(expiresAt));

/**
 * All tokens that were created with a token. Read to the end before any is processed, since a list can only be continued for a limited
 * time.
 */
export async function madeWith({ uid }: Pick<Maker, 'uid'>, { asPlugin }: Pick<Context, 'asPlugin'>): Promise<readonly Token[]> {
  const made: Token[] = [];
  for await (const token of asPlugin.list(ApiToken, { fields: fieldIs('spec.madeWith.uid', uid), itemsMax: madeMax })) made.push(token);
  return made;
}
