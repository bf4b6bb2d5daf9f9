import { type AccessDecision, type AccessRequest, type Authorizer } from '@tappaas/sdk';
import test from 'ava';
import * as fc from 'fast-check';
import { createAccess, type Access } from '../../dist/access/access.js';
import { DecisionCache } from '../../dist/access/decision-cache.js';
import type { AccessQuestion } from '../../dist/ports/access.js';
import { nowhere } from './access-of.ts';

/** Requests for the same line share their resource, and those of one credential their caller. */
const resources = ['red', 'blue'].flatMap((namespace) =>
  ['a', 'b'].map((name) => ({ group: '', version: 'v1', plural: 'pods', namespace, name })),
);
const [resource = { group: '', version: 'v1', plural: 'pods' }] = resources;
const ann = { name: 'ann', groups: ['devs'], tenant: 'acme' };
const callers = [ann, { ...ann }, { ...ann, tenant: 'other' }, { name: 'ann', groups: [] }, { name: 'eve', groups: [] }];
const question: AccessQuestion = { caller: ann, engine: 'platform', verb: 'get', resource, recurs: true };

/** Allows what it was told to; counts how often it is asked. */
class FixedAuthorizer implements Authorizer {
  readonly knowsProjects = true;
  revision: object | undefined = {};
  readonly allowed: Set<string>;
  denied: string | undefined;
  requested = 0;

  constructor(...allowed: readonly string[]) {
    this.allowed = new Set(allowed);
  }

  authorize({ caller, verb, project, tenant, isProjectOnly }: AccessRequest): AccessDecision {
    this.requested += 1;
    if (caller.name === this.denied) return { decision: 'deny', reason: `${caller.name} may nothing` };
    const reason = `${verb}${isProjectOnly === true ? ' only' : ''} in ${project}`;
    return { decision: this.allowed.has(reason) ? 'allow' : 'no-opinion', reason: `${reason}, of ${tenant}` };
  }
}

interface World {
  authorizers: readonly Authorizer[];
  tenant: string;
  readonly suspended: Set<string>;
  missing: readonly string[];
}

const worldOf = (...authorizers: readonly Authorizer[]): World => ({ authorizers, tenant: 'acme', suspended: new Set(), missing: [] });

function accessIn(world: World, authorizers = (): readonly Authorizer[] => world.authorizers): Access {
  const now = (_: string, project: string) => (world.tenant === '' ? { project } : { project, tenant: world.tenant });
  const settled = async (engine: string, project: string) => now(engine, project);
  const places = { ...nowhere, now, settled, isSuspended: (tenant: string) => world.suspended.has(tenant) };
  return createAccess({ authorizers, missing: () => world.missing, places });
}

/** The same authorizers, saying nothing that would let anybody remember. */
const forgetful = (authorizers: readonly Authorizer[]): readonly Authorizer[] =>
  authorizers.map((each) => ({ knowsProjects: true, authorize: (request) => each.authorize(request) }));

type Change = (world: World, roles: FixedAuthorizer, policies: FixedAuthorizer) => void;

const given = ['get in red', 'get in blue', 'get only in red', 'delete in red', 'oversee in undefined'];
const change = fc.oneof(
  fc.record({ what: fc.constantFrom(...given), isGiven: fc.boolean() }).map(({ what, isGiven }): Change => (_, roles) => {
    if (isGiven) roles.allowed.add(what);
    else roles.allowed.delete(what);
    if (roles.revision !== undefined) roles.revision = {};
  }),
  fc.constantFrom('ann', 'eve').map(
    (denied): Change =>
      (_, __, policies) =>
        void Object.assign(policies, { denied, revision: {} }),
  ),
  fc.constantFrom('acme', 'other', '').map(
    (tenant): Change =>
      (world) =>
        void (world.tenant = tenant),
  ),
  fc.constantFrom('acme', 'other').map(
    (tenant): Change =>
      ({ suspended }) =>
        void (suspended.delete(tenant) || suspended.add(tenant)),
  ),
  fc.constantFrom<Change>(
    (world, roles, policies) => (world.authorizers = [roles, policies]),
    (world, roles) => (world.authorizers = [roles]),
    (world) => (world.authorizers = [new FixedAuthorizer('get in red')]),
  ),
  fc.constantFrom<Change>(
    (world) => (world.missing = world.missing.length > 0 ? [] : ['access-abac']),
    (_, roles) => (roles.revision = roles.revision === undefined ? {} : undefined),
  ),
);

test('whatever changes meanwhile, a remembered answer is the one that would be given anew', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 20, maxLength: 40 }), fc.constantFrom('get', 'delete'), async (changes, verb) => {
      const [roles, policies] = [new FixedAuthorizer('get in red'), new FixedAuthorizer()];
      const world = worldOf(roles, policies);
      const [remembering, anew] = [accessIn(world), accessIn(world, () => forgetful(world.authorizers))];
      for (const each of changes) {
        each(world, roles, policies);
        for (const caller of callers) {
          for (const about of resources) {
            const requested = { ...question, caller, resource: about, verb };
            t.deepEqual(await remembering.authorize(requested), await anew.authorize(requested));
          }
        }
      }
    }),
    { numRuns: 200 },
  );
});

/** How often an authorizer was asked for two questions, one after the other. */
async function callsFor(reported: FixedAuthorizer, first: AccessQuestion, second = first, between = (): void => {}): Promise<number> {
  const { authorize } = accessIn(worldOf(reported));
  await authorize(first);
  between();
  await authorize(second);
  return reported.requested;
}

test('an authorizer whose answers hold is asked once for what recurs, and again when they hold no longer', async (t) => {
  t.is(await callsFor(new FixedAuthorizer('get in red'), question), 1);
  t.is(await callsFor(new FixedAuthorizer(), question), 1, 'also for what it has no opinion about');
  const changed = new FixedAuthorizer('get in red');
  t.is(await callsFor(changed, question, question, () => void (changed.revision = {})), 2);
});

test('every question is asked that differs in anything, or of which nobody says that it recurs', async (t) => {
  const [roles, policies] = [new FixedAuthorizer(), new FixedAuthorizer()];
  const { recurs: _, ...once } = question;
  const others: readonly (readonly [AccessQuestion, readonly Authorizer[]])[] = [
    [once, [roles]],
    [{ ...question, verb: 'list' }, [roles]],
    [{ ...question, caller: { ...ann } }, [roles]],
    [{ ...question, engine: 'local' }, [roles]],
    [{ ...question, resource: { ...resource } }, [roles]],
    [{ ...question, project: 'red' }, [roles]],
    [{ ...question, tenant: 'acme' }, [roles]],
    [{ ...question, isProjectOnly: true }, [roles]],
    [{ ...question, isReview: true }, [roles]],
    [question, [roles, policies]],
    [question, [policies]],
    [question, []],
  ];
  for (const [other, authorizers] of others) {
    const answers = new DecisionCache();
    const anew: AccessDecision = { decision: 'no-opinion', reason: 'anew' };
    await answers.answer([roles], question, () => ({ decision: 'allow', reason: '' }));
    t.like(await answers.answer([roles], question, () => anew), { decision: 'allow' });
    t.is(await answers.answer(authorizers, other, () => anew), anew, JSON.stringify(other));
  }
});

test('an authorizer that says nothing of its answers, looks at labels or answers later is asked every time', async (t) => {
  t.is(await callsFor(Object.assign(new FixedAuthorizer(), { revision: undefined }), question), 2);
  t.is(await callsFor(Object.assign(new FixedAuthorizer(), { readsLabels: true }), question), 2);
  const slow = new FixedAuthorizer();
  const later: Authorizer = { revision: {}, authorize: async (request) => slow.authorize(request) };
  const { authorize } = accessIn(worldOf(later));
  t.is((await authorize(question)).decision, 'no-opinion');
  await authorize(question);
  t.is(slow.requested, 2);
});

test('an answer is not cached when the authorizer changes during the call', async (t) => {
  const reported = new FixedAuthorizer('get in red');
  const authorize = reported.authorize.bind(reported);
  reported.authorize = (request) => {
    const answer = authorize(request);
    reported.allowed.clear();
    reported.revision = {};
    return answer;
  };
  const access = accessIn(worldOf(reported));
  t.is((await access.authorize(question)).decision, 'allow');
  t.is((await access.authorize(question)).decision, 'no-opinion');
});
