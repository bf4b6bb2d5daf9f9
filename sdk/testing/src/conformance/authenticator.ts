import assert from 'node:assert/strict';
import { families, isTapError, type Authenticator, type Awaitable, type Caller, type Credentials, type Identity } from '@tappaas/sdk';
import type { MemoryTestKernel } from '../memory-test-kernel.js';
import { awaitOrAdvance } from '../await-or-advance.js';
import type { TestKernel } from '../test-kernel.js';
import type { Case } from './case.js';
import { disturbed } from './plugin/disturbance.js';
import { onKernel, type PluginHarness } from './plugin/harness.js';

/** A loaded authenticator, and functions that create its credentials. */
export interface AuthenticatorHarness extends PluginHarness {
  /** Creates a valid credential on a kernel that runs the plugin, and returns it with its caller. */
  readonly good: (kernel: TestKernel) => Awaitable<{ readonly credentials: Credentials; readonly caller: Caller }>;
  /** Creates invalid credentials of the authenticator's type, such as an expired one. */
  readonly bad: (kernel: TestKernel) => Awaitable<readonly Credentials[]>;
  /** Revokes the credential that `good` created; absent if the type cannot be revoked. */
  readonly revoke?: (kernel: TestKernel) => Awaitable<void>;
}

export type MakeAuthenticator = () => Awaitable<AuthenticatorHarness>;

interface Given extends AuthenticatorHarness {
  readonly kernel: MemoryTestKernel;
  readonly call: (credentials: Credentials) => Promise<Identity | undefined>;
}

type Body = (given: Given) => Promise<void>;

/** Maximum number of characters of a credential that are altered, one at a time. */
const changesMax = 40;
const endMsMax = 20 * 365 * 86_400_000;
/** Time on the virtual clock within which a revocation must take effect. */
const revokedMsMax = 10_000;
const from = (authorization: string): Credentials => ({ headers: { authorization }, remoteAddress: '127.0.0.1' });
const otherSorts: readonly Credentials[] = [
  { headers: {}, remoteAddress: '127.0.0.1' },
  from('Basic Zm9vOmJhcg=='),
  from('Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa'),
  { headers: { cookie: 'theme=dark' }, remoteAddress: '127.0.0.1' },
];
const hostile = [
  '',
  'Bearer',
  'Bearer ',
  'Bearer  x',
  'bearer x',
  'Bearer a b',
  'Bearer \u0000',
  'Bearer ..',
  'Bearer e30.e30.',
  'Bearer __proto__',
];
const long = [`Bearer ${'x'.repeat(100_000)}`, `Bearer ${'e30.'.repeat(20_000)}`, 'x'.repeat(100_000)];

/**
 * The conformance cases of authenticators, for any test runner: a valid credential identifies its caller, any other is refused with a
 * credential error, and while a credential cannot be checked it is neither accepted nor reported as invalid.
 *
 * @example
 * ```ts
 * for (const { title, run } of conformance.authenticator(make)) test(title, run);
 * ```
 */
export function authenticatorConformance(make: MakeAuthenticator): readonly Case[] {
  const usual = Object.entries(bodies).map(([title, body]) => ({ title, run: async () => onAuthenticator(await make(), body) }));
  return [...usual, { title: faultTitle, run: async () => underFault(await make()) }];
}

const bodies: Readonly<Record<string, Body>> = {
  'a good credential says whose it is, the same each time, under an id that does not tell it': async ({ kernel, good, call }) => {
    const { credentials, caller } = await good(kernel);
    const [first, second] = [await call(credentials), await call(structuredClone(credentials))];
    assert.deepEqual(first?.caller, caller);
    assert.deepEqual(second, first);
    assert.notEqual(first?.credentialId ?? '', '', 'it has no credentialId');
    for (const secret of secretsOf(credentials)) assert(!first?.credentialId.includes(secret), 'the credentialId tells the credential');
  },
  'the end of a credential is ahead, in milliseconds': async ({ kernel, good, call }) => {
    const endsAtMs = (await call((await good(kernel)).credentials))?.expiresAtMs;
    const nowMs = kernel.clock.nowMs();
    assert(endsAtMs === undefined || (endsAtMs > nowMs && endsAtMs < nowMs + endMsMax), `expiresAtMs is ${endsAtMs}, now is ${nowMs}`);
  },
  'a credential of its sort that is not good lets nobody in': async ({ kernel, bad, call }) => {
    const all = await bad(kernel);
    assert(all.length > 0, 'the harness has no bad credential');
    for (const [index, each] of all.entries()) assert.equal(await outcome(call(each)), 'refused', `number ${index}`);
  },
  'credentials of another sort are left to others': async ({ call }) => {
    for (const each of otherSorts) assert.equal(await call(each), undefined, JSON.stringify(each.headers));
  },
  'a credential that is changed in one character lets nobody in': async ({ kernel, good, call }) => {
    const { credentials } = await good(kernel);
    for (const changed of changes(credentials)) assert.equal(await outcome(call(changed)), 'refused');
  },
  'a hostile credential lets nobody in and is no fault of the plugin': async ({ call }) => {
    for (const each of [...hostile, ...long]) assert.equal(await outcome(call(from(each))), 'refused', JSON.stringify(each.slice(0, 40)));
  },
  'no credential stands in an error or in a line of the log': async ({ kernel, good, bad, call }) => {
    const all = [(await good(kernel)).credentials, ...(await bad(kernel))];
    const texts = await Promise.all(
      all.map((each) =>
        call(each).then(
          () => '',
          (error: Error) => `${error.message} ${error.stack ?? ''}`,
        ),
      ),
    );
    const printed = [...texts, ...kernel.log.map((line) => JSON.stringify(line))].join('\n');
    for (const secret of all.flatMap(secretsOf)) assert(!printed.includes(secret), 'a credential was printed');
  },
  'a credential that is taken back lets nobody in': async ({ kernel, good, revoke, call }) => {
    if (revoke === undefined) return;
    const { credentials } = await good(kernel);
    assert.equal(await outcome(call(credentials)), 'let in');
    await revoke(kernel);
    for (let waitedMs = 0; waitedMs < revokedMsMax && (await outcome(call(credentials))) === 'let in'; waitedMs += 1_000) {
      await kernel.advance(1_000);
    }
    assert.equal(await outcome(call(credentials)), 'refused');
  },
};

const faultTitle = 'while what it needs fails, a bad credential lets nobody in and a good one is not called bad';

async function underFault(harness: AuthenticatorHarness): Promise<void> {
  let isAway = false;
  const failing = disturbed(async (_, run) => {
    if (isAway) throw new Error('the store is away');
    return run();
  });
  await onAuthenticator(
    harness,
    async ({ kernel, good, bad, call }) => {
      const { credentials, caller } = await good(kernel);
      const worse = await bad(kernel);
      isAway = true;
      const answer = await call(credentials).catch((error: unknown) => error as Error);
      if (answer instanceof Error) {
        assert(!(isTapError(answer) && answer.spec.blame === 'caller'), `a good credential is called bad: ${answer.message}`);
      } else if (answer !== undefined) assert.deepEqual(answer.caller, caller);
      for (const each of worse) assert.notEqual(await outcome(call(each)), 'let in');
      isAway = false;
    },
    { wrapResources: failing },
  );
}

function onAuthenticator(harness: AuthenticatorHarness, body: Body, options: Parameters<typeof onKernel>[2] = {}): Promise<void> {
  return onKernel(
    harness,
    async (kernel) => {
      const { id } = harness.plugin;
      const authenticator: Authenticator | undefined = kernel.platform.kernel.services.family(families.authenticator).get(id);
      assert(authenticator !== undefined, `${id} provides no authenticator`);
      const call = async (credentials: Credentials): Promise<Identity | undefined> =>
        awaitOrAdvance(kernel.clock, Promise.resolve(authenticator.authenticate(credentials, kernel.platform.kernel.platformContext())));
      await body({ ...harness, kernel, call });
    },
    options,
  );
}

/** Returns `let in`, or `refused` when the credential is unknown or rejected with a credential error; any other text is a fault. */
async function outcome(answer: Promise<Identity | undefined>): Promise<string> {
  try {
    return (await answer) === undefined ? 'refused' : 'let in';
  } catch (error) {
    if (isTapError(error) && error.code.startsWith('TAP_CREDENTIAL_')) return 'refused';
    return `a fault: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The values that must not be disclosed: complete credentials without their scheme. */
function secretsOf({ headers }: Credentials): readonly string[] {
  return Object.values(headers)
    .map((value) => value.replace(/^\w+ /, ''))
    .filter((value) => value.length >= 8);
}

/** Copies of the credentials with one character after the scheme altered; never the last one, whose low bits may be padding. */
function changes(credentials: Credentials): readonly Credentials[] {
  const { authorization } = credentials.headers;
  if (authorization === undefined) return [];
  const start = authorization.indexOf(' ') + 1;
  const positions = Array.from({ length: authorization.length - start - 1 }, (_, index) => start + index);
  const step = Math.ceil(positions.length / changesMax);
  return positions
    .filter((_, index) => index % step === 0)
    .map((at) => {
      const other = authorization[at] === 'A' ? 'B' : 'A';
      return {
        ...credentials,
        headers: { ...credentials.headers, authorization: `${authorization.slice(0, at)}${other}${authorization.slice(at + 1)}` },
      };
    });
}
