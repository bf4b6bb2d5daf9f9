import { hash } from 'node:crypto';
import { authenticatedGroup, credentialErrors, type Credentials, type Identity } from '@tappaas/sdk';
import { callProvider } from './outside-failure.js';
import type { CredentialCache } from './credential-cache.js';
import { checkForm } from './name-form.js';
import { checkName, mayCarry, type ReservedNames } from './reserved-names.js';

/** An authenticator in the chain, guarded by the kernel, which supplies its context. */
export interface ChainedAuthenticator {
  readonly name: string;
  /** Headers that it receives. Default: `authorization`. */
  readonly reads?: readonly string[];
  /** Reserved names that its callers may have. Default: none. */
  readonly reserved?: ReservedNames;
  readonly authenticate: (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined>;
}

const groupsMax = 256;
const readByDefault: readonly string[] = ['authorization'];

type Answer = Identity | undefined;

export interface AuthenticatorChain {
  (credentials: Credentials): Answer | Promise<Answer>;
  /** Forgets cached results of a credential. */
  revoke(credentialId: string): void;
  /** Switches to the current authenticators of plugins. */
  follow(): void;
}

/**
 * Calls the authenticators in configured order; the first that recognizes the credential decides. An error ends authentication: an invalid
 * credential is not tried with the next one. Names in the `system:` space are reserved for the platform's own authenticators, except those
 * of service accounts where a plugin has declared them. Results of plugins are cached for seconds; cached results, and those of the
 * platform's own authenticators (`own`), are returned synchronously. `own` run for every request and must be fast.
 */
export function createAuthenticatorChain(
  own: readonly ChainedAuthenticator[],
  contributed: () => readonly ChainedAuthenticator[],
  cache: CredentialCache,
): AuthenticatorChain {
  const ofOwn = cachedByIdentity((identity) => admitted(identity, identity.caller.groups));
  let others = contributedOnes(contributed());
  const chain = (credentials: Credentials): Answer | Promise<Answer> => {
    const identity = askFrom(own, 0, credentials);
    if (identity instanceof Promise) return identity.then((known) => (known === undefined ? askOthers(credentials) : ofOwn(known)));
    return identity === undefined ? askOthers(credentials) : ofOwn(identity);
  };
  return Object.assign(chain, {
    revoke: (credentialId: string) => cache.revoke(credentialId),
    follow: () => {
      others = contributedOnes(contributed());
      cache.clear();
    },
  });

  function askOthers(credentials: Credentials): Answer | Promise<Answer> {
    const key = cacheKey(credentials, others.reads);
    if (key === undefined) return undefined;
    return cache.ask(key, () => askFrom(others.authenticators, 0, credentials));
  }
}

/** @throws TAP_IDENTITY_RESERVED, TAP_CREDENTIAL_INVALID */
function ofOther(identity: Answer, { name, reserved = {} }: ChainedAuthenticator): Answer {
  if (identity === undefined) return undefined;
  checkForm(identity);
  checkName(identity, name, reserved);
  const groups = identity.caller.groups.filter((group) => mayCarry(group, reserved));
  if (groups.length <= groupsMax) return admitted(identity, groups);
  // A dropped group could be the very one to which something is forbidden.
  throw credentialErrors.TAP_CREDENTIAL_INVALID({
    message: `the credential names ${groups.length} groups, and a caller has at most ${groupsMax}: let ${name}, or who issues its credentials, name fewer`,
  });
}

interface Contributed {
  readonly authenticators: readonly ChainedAuthenticator[];
  /** Every header that any of the authenticators receives. */
  readonly reads: readonly string[];
}

function contributedOnes(authenticators: readonly ChainedAuthenticator[]): Contributed {
  const shown = authenticators.map((authenticator) => {
    const { name, reads = readByDefault } = authenticator;
    return {
      name,
      authenticate: (credentials: Credentials): Answer | Promise<Answer> => {
        const answer = callProvider(() => authenticator.authenticate(shownOf(credentials, reads)));
        if (answer instanceof Promise) return answer.then((identity) => ofOther(identity, authenticator));
        return ofOther(answer, authenticator);
      },
    };
  });
  return { authenticators: shown, reads: [...new Set(authenticators.flatMap(({ reads = readByDefault }) => reads))] };
}

function shownOf(credentials: Credentials, reads: readonly string[]): Credentials {
  const { headers, headerValues } = credentials;
  return { ...credentials, headers: only(headers, reads), ...(headerValues && { headerValues: only(headerValues, reads) }) };
}

function only<T>(headers: Readonly<Record<string, T>>, names: readonly string[]): Readonly<Record<string, T>> {
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}

/**
 * Returns a digest of everything that authenticators receive, so that the cache holds no credentials; undefined when there is no
 * credential.
 */
function cacheKey(
  { headers, headerValues, clientCertificate, remoteAddress, audiences }: Credentials,
  reads: readonly string[],
): string | undefined {
  let isEmpty = clientCertificate === undefined;
  let text = `${remoteAddress}\0${clientCertificate?.fingerprint256 ?? ''}\0${audiences === undefined ? '' : JSON.stringify(audiences)}`;
  for (const name of reads) {
    const value = headers[name];
    if (value !== undefined) isEmpty = false;
    // Two headers with the same name differ from one header with both values.
    const quoted = headerValues?.[name] === undefined ? value : JSON.stringify(headerValues[name]);
    text += `\0${quoted === undefined ? '' : `=${quoted}`}`;
  }
  return isEmpty ? undefined : hash('sha256', text, 'base64');
}

function askFrom(authenticators: readonly ChainedAuthenticator[], from: number, credentials: Credentials): Answer | Promise<Answer> {
  for (let index = from; index < authenticators.length; index += 1) {
    const answer = authenticators[index]?.authenticate(credentials);
    if (answer instanceof Promise) return answer.then((identity) => identity ?? askFrom(authenticators, index + 1, credentials));
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** Memoizes `make`, so that an authenticator that returns the same object again yields the same result object. */
function cachedByIdentity(make: (identity: Identity) => Identity): (identity: Identity) => Identity {
  const known = new WeakMap<Identity, Identity>();
  return (identity) => {
    const made = known.get(identity) ?? make(identity);
    known.set(identity, made);
    return made;
  };
}

function admitted(identity: Identity, carried: readonly string[]): Identity {
  const { caller, credentialId: id, expiresAtMs } = identity;
  const groups = carried.filter((group) => group !== authenticatedGroup);
  const credential = { id, ...(expiresAtMs !== undefined && { expiresAtMs }) };
  return { ...identity, caller: { ...caller, groups: [...groups, authenticatedGroup], credential } };
}
