import test from 'ava';
import * as fc from 'fast-check';
import type { CronJob, Immutable, Job } from '@tappaas/sdk';
import { planCronJob } from '../dist/controllers/cron-job-plan.js';
import { lastRun, nextRun, parseCron } from '../dist/cron-schedule.js';

const next = (schedule: string, after: string, timeZone = 'UTC') => {
  const found = nextRun(parseCron(schedule), Date.parse(after), timeZone);
  return found === undefined ? undefined : new Date(found).toISOString().slice(0, 16);
};

test('cron fields mean what they mean everywhere', (t) => {
  t.is(next('*/15 * * * *', '2026-03-01T10:07:30Z'), '2026-03-01T10:15');
  t.is(next('0 3 * * *', '2026-03-01T03:00:00Z'), '2026-03-02T03:00');
  t.is(next('30 8 * * mon-fri', '2026-11-20T09:00:00Z'), '2026-11-23T08:30');
  t.is(next('0 0 1,15 * *', '2026-11-22T00:00:00Z'), '2026-12-01T00:00');
  t.is(next('0 0 13 * fri', '2026-11-07T00:00:00Z'), '2026-11-13T00:00');
  t.is(next('0 12 29 feb *', '2026-01-01T00:00:00Z'), '2028-02-29T12:00');
  t.is(next('0 0 * * 7', '2026-11-21T00:00:00Z'), '2026-11-22T00:00');
  t.is(next('@hourly', '2026-11-21T23:59:59Z'), '2026-11-22T00:00');
  t.is(next('10-20/5 22 * * *', '2026-11-21T22:10:00Z'), '2026-11-21T22:15');
  t.is(next('0 0 31 2 *', '2026-01-01T00:00:00Z'), undefined);
});

test('a time zone’s clocks decide, also when they change', (t) => {
  t.is(next('0 9 * * *', '2026-01-01T00:00:00Z', 'Europe/Berlin'), '2026-01-01T08:00');
  t.is(next('0 9 * * *', '2026-07-01T00:00:00Z', 'Europe/Berlin'), '2026-07-01T07:00');
  t.is(next('0 0 * * *', '2026-03-28T23:30:00Z', 'Europe/Berlin'), '2026-03-29T22:00');
  t.is(next('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin'), '2026-03-30T00:30', 'an hour that does not exist is left out');
  t.is(next('0 0 7 9 *', '2025-09-08T00:00:00Z', 'America/Santiago'), '2026-09-07T03:00');
});

test('what is no schedule is refused by field', (t) => {
  for (const [text, message] of [
    ['* * * *', 'expected five fields (minute hour day month weekday), found 4: "* * * *"'],
    ['60 * * * *', 'minute 60 is not between 0 and 59'],
    ['* * * foo *', 'month "foo" is neither a number nor a name'],
    ['*/0 * * * *', 'minute "*/0" has no step of 1 or more'],
    ['* 5-3 * * *', 'hour "5-3" ends before it begins'],
    ['* * -1 * *', 'day "" is neither a number nor a name'],
  ] as const) {
    t.throws(() => parseCron(text), { instanceOf: RangeError, message }, text);
  }
});

test('a schedule called like something that every object of JavaScript has is refused as any other word', (t) => {
  for (const word of ['constructor', 'toString', '__proto__']) t.throws(() => parseCron(word), { instanceOf: RangeError });
});

const cron = (spec: object, status: object = {}): Immutable<CronJob> => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'nightly', namespace: 'default', uid: 'cron', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { schedule: '0 * * * *', jobTemplate: { spec: { template: {} } }, ...spec },
  status,
});

const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: 'cron', controller: true };
const jobOf = (name: string, outcome: 'Complete' | 'Failed' | undefined, created: string): Immutable<Job> => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'default', uid: name, creationTimestamp: created, ownerReferences: [owner] },
  status: outcome
    ? { conditions: [{ type: outcome, status: 'True' }], ...(outcome === 'Complete' ? { completionTime: created } : {}) }
    : {},
});

const at = (time: string) => Date.parse(`2026-01-01T${time}Z`);
const nameOf = (plan: ReturnType<typeof planCronJob>) => (plan.create as { metadata: { name: string } } | undefined)?.metadata.name;

test('a job is made at its time, named after it, and of missed times only the last runs', (t) => {
  const early = planCronJob(cron({}), [], at('00:30:00'));
  t.is(early.create, undefined);
  t.is(early.againAtMs, at('01:00:00'));
  const due = planCronJob(cron({}), [], at('01:00:01'));
  t.is(nameOf(due), `nightly-${at('01:00:00') / 60_000}`);
  t.is(due.status.lastScheduleTime, '2026-01-01T01:00:00.000Z');
  t.is(nameOf(planCronJob(cron({}), [], at('09:10:00'))), `nightly-${at('09:00:00') / 60_000}`);
  t.is(planCronJob(cron({}, { lastScheduleTime: '2026-01-01T09:00:00Z' }), [], at('09:10:00')).create, undefined);
  t.is(planCronJob(cron({ startingDeadlineSeconds: 60 }), [], at('09:10:00')).create, undefined);
  t.is(planCronJob(cron({ suspend: true }), [], at('09:10:00')).create, undefined);
});

test('after years in which every minute was missed, the latest one runs', (t) => {
  const nowMs = Date.parse('2029-06-07T08:09:10Z');
  const latestMs = Date.parse('2029-06-07T08:09:00Z');
  const plan = planCronJob(cron({ schedule: '* * * * *' }), [], nowMs);
  t.is(nameOf(plan), `nightly-${latestMs / 60_000}`);
  t.is(plan.status.lastScheduleTime, '2029-06-07T08:09:00.000Z');
  t.is(plan.againAtMs, latestMs + 60_000);
});

test('the last run of a schedule is the one that stepping through all runs ends with', (t) => {
  const startMs = at('00:00:00');
  const schedules = ['*/7 * * * *', '30 2 * * *', '0 0 1,15 * *', '15 6 13 * fri', '* 3 * * 0', '0 0 31 2 *'];
  const parts = { schedule: fc.constantFrom(...schedules), days: fc.integer({ min: 0, max: 120 }), ms: fc.nat(86_400_000) };
  fc.assert(
    fc.property(fc.record(parts), ({ schedule, days, ms }) => {
      const untilMs = startMs + (schedule.startsWith('*') ? Math.min(days, 7) : days) * 86_400_000 + ms;
      const parsed = parseCron(schedule);
      const runs: number[] = [];
      const after = (): number => nextRun(parsed, runs.at(-1) ?? startMs, 'Europe/Berlin') ?? Infinity;
      while (after() <= untilMs) runs.push(after());
      return lastRun(parsed, { afterMs: startMs, untilMs }, 'Europe/Berlin') === runs.at(-1);
    }),
    { numRuns: 30 },
  );
  t.pass();
});

test('concurrent jobs are allowed, held back or replaced as the policy says', (t) => {
  const running = [jobOf('nightly-1', undefined, '2026-01-01T00:00:00Z')];
  t.truthy(planCronJob(cron({}), running, at('01:00:01')).create);
  t.is(planCronJob(cron({ concurrencyPolicy: 'Forbid' }), running, at('01:00:01')).create, undefined);
  const replace = planCronJob(cron({ concurrencyPolicy: 'Replace' }), running, at('01:00:01'));
  t.truthy(replace.create);
  t.deepEqual(
    replace.delete.map(({ metadata }) => metadata.name),
    ['nightly-1'],
  );
  t.deepEqual(replace.status.active, []);
});

test('finished jobs are kept up to their limits', (t) => {
  const jobs = ['1', '2', '3', '4', '5'].map((name) => jobOf(`ok-${name}`, 'Complete', `2026-01-01T00:0${name}:00Z`));
  const failed = ['1', '2'].map((name) => jobOf(`bad-${name}`, 'Failed', `2026-01-01T00:0${name}:00Z`));
  const plan = planCronJob(cron({}), [...jobs, ...failed], at('00:30:00'));
  t.deepEqual(
    plan.delete.map(({ metadata }) => metadata.name),
    ['ok-1', 'ok-2', 'bad-1'],
  );
  t.is(plan.status.lastSuccessfulTime, '2026-01-01T00:05:00Z');
});
