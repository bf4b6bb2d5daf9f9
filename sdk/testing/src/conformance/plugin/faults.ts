import assert from 'node:assert/strict';
import { flowErrors, resourceErrors } from '@tappaas/core';
import { storeErrors, type Condition } from '@tappaas/sdk';
import type { MemoryTestKernel } from '../../memory-test-kernel.js';
import { disturbed, isWrite, type Around, type ResourceCall } from './disturbance.js';
import { createReconciled } from './exercise.js';
import { onKernel, pluginCases, type MakePlugin, type PluginHarness } from './harness.js';
import { kindName } from './samples.js';

/** What happens to one call in place of its result. */
interface Fault {
  readonly hits: (call: ResourceCall) => boolean;
  readonly instead: <T>(run: () => Promise<T>) => Promise<T>;
}

const message = 'this failure was injected by the conformance suite';
const always = () => true;
const fail = (make: (details: { message: string }) => Error) => () => Promise.reject(make({ message }));

const faults = {
  'a conflict (409)': { hits: isWrite, instead: fail(resourceErrors.TAP_OBJECT_CONFLICT) },
  'being sent away (429)': { hits: always, instead: fail((details) => flowErrors.TAP_FLOW_FULL({ ...details, retryAfterMs: 1_000 })) },
  'a failure of the server (500)': { hits: always, instead: fail(storeErrors.TAP_STORE_UNAVAILABLE) },
  'an answer that comes too late': {
    hits: isWrite,
    instead: async (run) => {
      await run();
      throw storeErrors.TAP_STORE_OUTCOME_UNKNOWN({ message });
    },
  },
} satisfies Readonly<Record<string, Fault>>;

/** Maximum number of calls that are disturbed, each in a run of its own. */
const callsMax = 30;
const minuteMs = 60_000;

/** Disturbing any single call of a controller or task does not change the outcome of a run. */
export const faultCases = (make: MakePlugin) =>
  pluginCases(
    make,
    Object.fromEntries(
      Object.entries(faults).map(([name, fault]) => [
        `in whatever call it meets ${name}, it comes to the same end`,
        (harness: PluginHarness) => sameEnd(harness, fault),
      ]),
    ),
  );

async function sameEnd(harness: PluginHarness, fault: Fault): Promise<void> {
  let calls = 0;
  const expected = await end(harness, async (call, run) => {
    if (fault.hits(call)) calls += 1;
    return run();
  });
  for (let hit = 1; hit <= Math.min(calls, callsMax); hit += 1) {
    let n = 0;
    let what = '';
    const found = await end(harness, async (call, run) => {
      if (!fault.hits(call) || (n += 1) !== hit) return run();
      what = call.verb;
      return fault.instead(run);
    });
    assert.deepEqual(found, expected, `call ${hit} of ${calls} (${what}) was disturbed`);
  }
}

/** Creates the plugin's objects, lets it work for a minute, and returns the resulting conditions and object counts. */
async function end(harness: PluginHarness, around: Around): Promise<Readonly<Record<string, unknown>>> {
  let found: Readonly<Record<string, unknown>> = {};
  const body = async (kernel: MemoryTestKernel): Promise<void> => {
    const objects = await createReconciled(kernel, harness);
    await kernel.reconcileUntilSettled();
    await kernel.advance(minuteMs);
    await kernel.reconcileUntilSettled();
    const conditions: Record<string, unknown> = {};
    for (const { kind, engine, object } of objects) {
      const stored = await kernel.platform.resources(engine).get(kind, object);
      conditions[`${engine ?? ''} ${kindName(kind)} ${object.name}`] = conditionsOf(stored);
    }
    found = { conditions, counts: await counts(kernel) };
  };
  await onKernel(harness, body, { wrapResources: disturbed(around) });
  return found;
}

function conditionsOf(object: unknown): unknown {
  const { status } = (object ?? {}) as { readonly status?: { readonly conditions?: readonly Condition[] } };
  return object === undefined ? 'gone' : status?.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
}

/** Number of objects of each kind; Events are left out, since they report the disturbance. */
async function counts({ platform }: MemoryTestKernel): Promise<Readonly<Record<string, number>>> {
  const all = (await platform.everything()).filter(({ kind }) => kind !== 'Event');
  const found: Record<string, number> = {};
  for (const { engine, kind } of all) found[`${engine} ${kind}`] = (found[`${engine} ${kind}`] ?? 0) + 1;
  return found;
}
