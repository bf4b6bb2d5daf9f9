import { deny, fieldIs, type Caller, type Context, type Denial, type Immutable } from '@tappaas/sdk';
import { ApiToken, type ApiTokenObject } from './contract.js';

type Token = Immutable<ApiTokenObject>;
type Spec = Token['spec'];

/** The token that another one was made with. */
export type Maker = NonNullable<Spec['madeWith']>;

const prefix = 'apitoken';
/** More than there can be. */
const madeMax = 1_000_000;

/** The id by which caches and open streams know the credential. */
export const credentialIdOf = ({ metadata: { name, uid } }: Token): string => `${prefix}:${uid}:${name}`;

/** The token that a caller acts with; nothing for sessions, certificates and all that is no token of this kind. */
export function makerOf({ credential }: Caller): Maker | undefined {
  const [kind, uid, name] = credential?.id.split(':') ?? [];
  return kind === prefix && uid !== undefined && name !== undefined ? { name, uid } : undefined;
}

export const isMadeWith = ({ spec }: Pick<Token, 'spec'>, { uid }: Pick<Maker, 'uid'>): boolean => spec.madeWith?.uid === uid;

/**
 * What a token may not be because of the one that it was made with: it says which, and ends no later. A credential that is good for an hour
 * must not be a way to one that is good for a year.
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

/** Every token that was made with one; read to the end before anything is done with them, as a list cannot be gone on with for ever. */
export async function madeWith({ uid }: Pick<Maker, 'uid'>, { asPlugin }: Pick<Context, 'asPlugin'>): Promise<readonly Token[]> {
  const made: Token[] = [];
  for await (const token of asPlugin.list(ApiToken, { fields: fieldIs('spec.madeWith.uid', uid), itemsMax: madeMax })) made.push(token);
  return made;
}
