import type { Credentials, Identity } from '@tappaas/sdk';

/** An authenticator as the chain asks it: guarded by the kernel, which gives it its context. */
export interface ChainedAuthenticator {
  readonly name: string;
  readonly authenticate: (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined>;
}

const everybody = 'system:authenticated';
const groupsMax = 256;

type Answer = Identity | undefined;

/**
 * Asks the authenticators in configured order; the first that knows the credential decides. One that throws ends the matter: a bad
 * credential is not tried on the next. Groups of the `system:` space can be claimed by the platform's own authenticators only. Stays
 * synchronous as long as those asked are, since it is asked for every request.
 */
export function createAuthenticatorChain(
  own: readonly ChainedAuthenticator[],
  contributed: () => readonly ChainedAuthenticator[],
): (credentials: Credentials) => Answer | Promise<Answer> {
  const ofOwn = rememberedByIdentity((identity) => admitted(identity, () => true));
  const ofOthers = rememberedByIdentity((identity) => admitted(identity, (group) => !group.startsWith('system:')));
  return (credentials) => {
    const identity = askFrom(own, 0, credentials);
    if (identity instanceof Promise) return identity.then((known) => (known === undefined ? askOthers(credentials) : ofOwn(known)));
    return identity === undefined ? askOthers(credentials) : ofOwn(identity);
  };

  function askOthers(credentials: Credentials): Answer | Promise<Answer> {
    const identity = askFrom(contributed(), 0, credentials);
    if (identity instanceof Promise) return identity.then((known) => known && ofOthers(known));
    return identity && ofOthers(identity);
  }
}

function askFrom(authenticators: readonly ChainedAuthenticator[], from: number, credentials: Credentials): Answer | Promise<Answer> {
  for (let index = from; index < authenticators.length; index += 1) {
    const answer = authenticators[index]?.authenticate(credentials);
    if (answer instanceof Promise) return answer.then((identity) => identity ?? askFrom(authenticators, index + 1, credentials));
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** An authenticator that answers the same object again is answered the same object. */
function rememberedByIdentity(make: (identity: Identity) => Identity): (identity: Identity) => Identity {
  const known = new WeakMap<Identity, Identity>();
  return (identity) => {
    const made = known.get(identity) ?? make(identity);
    known.set(identity, made);
    return made;
  };
}

function admitted(identity: Identity, mayCarry: (group: string) => boolean): Identity {
  const { caller } = identity;
  const groups = caller.groups.filter((group) => group !== everybody && mayCarry(group)).slice(0, groupsMax);
  return { ...identity, caller: { ...caller, groups: [...groups, everybody] } };
}
