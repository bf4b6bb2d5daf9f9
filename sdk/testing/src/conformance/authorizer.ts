import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { families, type AccessDecision, type AccessRequest, type Authorizer, type Awaitable } from '@tappaas/sdk';
import type { MemoryTestKernel } from '../memory-test-kernel.js';
import { awaitOrAdvance } from '../await-or-advance.js';
import type { Case } from './case.js';
import { disturbed, hanging } from './plugin/disturbance.js';
import { onKernel, type PluginHarness, type SampleObject } from './plugin/harness.js';

/** An access request, with the decision that is expected once the harness's objects exist. */
export interface AccessQuestion {
  readonly request: AccessRequest;
  readonly decision: AccessDecision['decision'];
}

/** A loaded authorizer, the objects it decides by, and the expected decisions, of which at least one is allow or deny. */
export interface AuthorizerHarness extends PluginHarness {
  readonly objects: readonly SampleObject[];
  readonly questions: readonly AccessQuestion[];
}

export type MakeAuthorizer = () => Awaitable<AuthorizerHarness>;

interface Given extends AuthorizerHarness {
  readonly kernel: MemoryTestKernel;
  readonly authorizer: Authorizer;
  readonly create: () => Promise<void>;
}

type Body = (given: Given) => Promise<void>;

/** Time on the virtual clock within which a change must take effect, and the step in which it is checked. */
const knownMsMax = 60_000;
const stepMs = 250;
const failuresFirst = 3;
const requestsAtOnce = 200;
const hostileNames = ['', '*', '__proto__', 'constructor', 'toString', 'system:masters/', 'a\u0000b', 'x'.repeat(5_000)];

/**
 * The conformance cases of authorizers, for any test runner: decisions follow the objects, nothing else is allowed, and while the objects
 * cannot be read nothing is allowed.
 *
 * @example
 * ```ts
 * for (const { title, run } of conformance.authorizer(make)) test(title, run);
 * ```
 */
export function authorizerConformance(make: MakeAuthorizer): readonly Case[] {
  const usual = Object.entries(bodies).map(([title, body]) => ({ title, run: async () => onAuthorizer(await make(), body) }));
  const faults = Object.entries(underFaults).map(([title, body]) => ({ title, run: async () => body(await make()) }));
  return [...usual, ...faults];
}

const bodies: Readonly<Record<string, Body>> = {
  'it answers what its objects say, with a reason where it allows or denies': async ({ authorizer, create, kernel, questions }) => {
    assert(
      questions.some(({ decision }) => decision !== 'no-opinion'),
      'the harness asks nothing that is allowed or denied',
    );
    await create();
    await settles(kernel, authorizer, questions);
    for (const { request, decision } of questions) {
      const { reason } = await authorizer.authorize(request);
      if (decision !== 'no-opinion') assert.notEqual(reason.trim(), '', `no reason for ${describe(request)}`);
    }
  },
  'a question may be asked by many at once, and is left as it was': async ({ authorizer, create, kernel, questions }) => {
    await create();
    await settles(kernel, authorizer, questions);
    for (const { request, decision } of questions) {
      const frozen = deepFrozen(structuredClone(request));
      const answers = await Promise.all(Array.from({ length: requestsAtOnce }, async () => authorizer.authorize(frozen)));
      assert(
        answers.every((answer) => answer.decision === decision),
        `not the same each time: ${describe(request)}`,
      );
    }
  },
  'nobody and hostile names are allowed nothing, and are no fault of the plugin': async ({ authorizer, create, kernel, questions }) => {
    await create();
    await settles(kernel, authorizer, questions);
    for (const { request } of questions) {
      for (const name of hostileNames) {
        const { decision } = await authorizer.authorize({ ...request, caller: { name, groups: name === '' ? [] : [name] } });
        assert.notEqual(decision, 'allow', `${JSON.stringify(name.slice(0, 40))} is allowed ${describe(request)}`);
      }
    }
  },
  'a verb, a kind or a path that no object names is not allowed': async ({ authorizer, create, kernel, questions }) => {
    await create();
    await settles(kernel, authorizer, questions);
    for (const { request, decision } of questions) {
      if (decision !== 'allow') continue;
      for (const odd of oddities(request)) {
        assert.notEqual((await authorizer.authorize(odd)).decision, 'allow', `allowed: ${describe(odd)}`);
      }
    }
  },
  'what objects gave or forbade ends with them': async ({ authorizer, create, kernel, questions, objects }) => {
    const before = await Promise.all(questions.map(async ({ request }) => (await authorizer.authorize(request)).decision));
    await create();
    await settles(kernel, authorizer, questions);
    for (const { kind, engine, object } of objects) {
      const { name, namespace } = object;
      await kernel.platform.resources(engine).delete(kind, namespace === undefined ? { name } : { namespace, name });
    }
    const again = questions.map(({ request }, index) => ({ request, decision: before[index] ?? 'no-opinion' }));
    await settles(kernel, authorizer, again);
  },
  'what objects change, changes its revision, where it says that answers hold': async ({ authorizer, create, kernel, questions }) => {
    const { revision } = authorizer;
    await create();
    await settles(kernel, authorizer, questions);
    if (revision !== undefined) assert(authorizer.revision !== revision, 'it decides otherwise under the same revision');
  },
  'whom it allows is among those whom it lists, and its rules are plain data': async ({ authorizer, create, kernel, questions }) => {
    await create();
    await settles(kernel, authorizer, questions);
    for (const { request, decision } of questions) {
      if (decision !== 'allow') continue;
      const { caller, ...about } = request;
      const subjects = await authorizer.subjects?.(about);
      if (subjects !== undefined) {
        const isListed = subjects.some(
          ({ name }) => name === caller.name || caller.groups.includes(name) || caller.name.endsWith(`:${name}`),
        );
        assert(isListed, `${caller.name} is not listed for ${describe(request)}`);
      }
      const rules = await authorizer.rules?.(request);
      assert.deepEqual(rules === undefined ? undefined : JSON.parse(JSON.stringify(rules)), rules);
    }
  },
};

const underFaults: Readonly<Record<string, (harness: AuthorizerHarness) => Promise<void>>> = {
  'while its objects cannot be read it allows nothing, and forbids what they forbid': async (harness) => {
    const over = new AbortController();
    await onAuthorizer(
      harness,
      async ({ authorizer, create, questions }) => {
        await create();
        for (const { request, decision } of questions) {
          const found = (await authorizer.authorize(request)).decision;
          assert.notEqual(found, 'allow', `allowed although nothing is known: ${describe(request)}`);
          if (decision === 'deny') assert.equal(found, 'deny', `not denied although nothing is known: ${describe(request)}`);
        }
        over.abort(new Error('the fault is over'));
      },
      { wrapResources: hanging(over.signal) },
    );
  },
  'reads that fail are tried again, and then it answers what its objects say': async (harness) => {
    let left = failuresFirst;
    const failing = disturbed(async (_, run) => {
      left -= 1;
      if (left >= 0) throw new Error('the store is away');
      return run();
    });
    await onAuthorizer(
      harness,
      async ({ authorizer, create, kernel, questions }) => {
        await create();
        await settles(kernel, authorizer, questions);
      },
      { wrapResources: failing },
    );
  },
};

function onAuthorizer(harness: AuthorizerHarness, body: Body, options: Parameters<typeof onKernel>[2] = {}): Promise<void> {
  return onKernel(
    harness,
    async (kernel) => {
      const { id } = harness.plugin;
      const authorizer = kernel.platform.kernel.services.family(families.authorizer).get(id);
      assert(authorizer !== undefined, `${id} provides no authorizer`);
      const create = async (): Promise<void> => {
        for (const { kind, engine, object } of harness.objects) {
          const { name, namespace, labels, annotations, ...fields } = object;
          await kernel.platform.resources(engine).create(kind, { metadata: { name, namespace, labels, annotations }, ...fields });
        }
      };
      await body({ ...harness, kernel, authorizer, create });
    },
    options,
  );
}

/** Waits until every question gets its expected decision. */
async function settles(kernel: MemoryTestKernel, authorizer: Authorizer, questions: readonly AccessQuestion[]): Promise<void> {
  let wrong: string[] = [];
  for (let waitedMs = 0; waitedMs <= knownMsMax; waitedMs += stepMs) {
    const answers = await awaitOrAdvance(kernel.clock, Promise.all(questions.map(async ({ request }) => authorizer.authorize(request))));
    wrong = questions.flatMap(({ request, decision }, index) => {
      const found = answers[index]?.decision;
      return found === decision ? [] : [`${describe(request)}: expected ${decision}, found ${found}`];
    });
    if (wrong.length === 0) return;
    await kernel.advance(stepMs);
    await turn();
  }
  assert.fail(wrong.join('; '));
}

/** The same request with verbs, kinds, subresources or paths that no object names. */
function oddities(request: AccessRequest): readonly AccessRequest[] {
  const verbs = ['unheard-of', '', '__proto__'].map((verb) => ({ ...request, verb }));
  const { resource } = request;
  if (resource === undefined) return [...verbs, { ...request, path: '/unheard-of' }];
  const kinds = ['unheardofs', '', '__proto__'].map((plural) => ({ ...request, resource: { ...resource, plural } }));
  return [...verbs, ...kinds, { ...request, resource: { ...resource, subresource: 'unheard-of' } }];
}

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) deepFrozen(part);
  return Object.freeze(value);
}

const describe = ({ caller, verb, resource, path }: AccessRequest): string =>
  `${caller.name.slice(0, 40)} ${verb} ${resource === undefined ? path : JSON.stringify(resource)}`;
