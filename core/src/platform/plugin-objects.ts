import type { Clock, Condition, Logger, Resources } from '@tappaas/sdk';
import { PluginStatus } from '@tappaas/sdk/kinds';
import type { Kernel, ReloadResult } from '../kernel/kernel.js';
import { permissionLines } from '../kernel/lock/permission-lines.js';
import type { PluginState } from '../kernel/plugin-state.js';
import { nextStatus } from '../reconcile/status.js';

type Problems = ReloadResult['problems'];

/** Keeps one Plugin object per loaded instance in step with the kernel; objects of instances that are gone are removed. */
export async function writePluginObjects(
  kernel: Kernel,
  resources: Resources,
  { clock, log }: { readonly clock: Pick<Clock, 'nowMs'>; readonly log: Logger },
  /** Why the configuration of the files is not the one in force. */
  refused: Problems = [],
): Promise<void> {
  const states = kernel.plugins();
  const known = new Set(states.map(({ id }) => id));
  for (const state of states) {
    const conditions = [readyOf(state), configuredOf(concerning(state.id, refused, known))];
    await write(resources, state, conditions, clock.nowMs()).catch((error: unknown) =>
      log.warn('a Plugin object was not written', { plugin: state.id, error }),
    );
  }
  for await (const object of resources.list(PluginStatus, { itemsMax: 10_000 })) {
    if (!known.has(object.metadata.name)) await resources.delete(PluginStatus, { name: object.metadata.name });
  }
}

const permissionsMax = 1_000;

async function write(resources: Resources, state: PluginState, conditions: readonly Condition[], nowMs: number): Promise<void> {
  const { id, plugin, package: use, version } = state;
  const spec = { use, version, id: plugin };
  const key = { name: id };
  const known = await resources.apply(PluginStatus, key, { spec });
  const status = {
    state: capitalised(state.phase),
    initMs: Math.round(state.initMs * 10) / 10,
    hooks: [...new Set(state.hooks)],
    provides: state.provides,
    kinds: state.kinds,
    permissions: permissionLines(state.permissions).slice(0, permissionsMax),
    openBreakers: state.breakers.filter((breaker) => breaker.state === 'open').map(({ hook }) => hook),
  };
  const next = nextStatus(known, status, conditions, nowMs);
  if (next) await resources.patch(PluginStatus, key, { status: next }, { subresource: 'status' });
}

function readyOf({ phase, message }: PluginState): Condition {
  return {
    type: 'Ready',
    status: phase === 'ready' ? 'True' : 'False',
    reason: capitalised(phase),
    message: message ?? `is ${phase}`,
  };
}

const messageCharactersMax = 1_024;

function configuredOf(problems: Problems): Condition {
  const [first] = problems;
  if (first === undefined)
    return { type: 'Configured', status: 'True', reason: 'InForce', message: 'what the configuration says of it is in force' };
  const others = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
  const told = `the configuration was not taken over: ${first.path === '' ? '' : `${first.path}: `}${first.message}`;
  return { type: 'Configured', status: 'False', reason: 'ReloadRefused', message: `${told.slice(0, messageCharactersMax)}${others}` };
}

/** The problems of an instance; those of no instance that runs keep every change from being taken over, so all are told of them. */
function concerning(id: string, problems: Problems, known: ReadonlySet<string>): Problems {
  const instanceOf = ({ path }: Problems[number]) => /^plugins\.([^.]+)/.exec(path)?.[1] ?? '';
  const own = problems.filter((problem) => instanceOf(problem) === id);
  return own.length > 0 ? own : problems.filter((problem) => !known.has(instanceOf(problem)));
}

const capitalised = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
