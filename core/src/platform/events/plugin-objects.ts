import type { Clock, Condition, Logger, Resources } from '@tappaas/sdk';
import { PluginStatus } from '@tappaas/sdk/kinds';
import type { Kernel, ReloadResult } from '../../kernel/kernel.js';
import { permissionLines } from '../../kernel/lock/permission-lines.js';
import type { PluginState } from '../../kernel/plugin-state.js';
import { nextStatus } from '../../reconcile/status.js';
import { openBreakersOf, primaryProcess, OpenBreakers, type OpenBreaker, type OpenInProcesses } from '../workers/open-breakers.js';

type Problems = ReloadResult['problems'];

interface Parts {
  readonly kernel: Pick<Kernel, 'plugins' | 'onEvent'>;
  readonly resources: Resources;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Logger;
}

/** Keeps the status of Plugin objects up to date. */
export interface PluginObjects {
  /** Updates the objects. `refused` says why the configuration files are not in force; if omitted, the previous value stays. */
  sync(refused?: Problems): Promise<void>;
  /** Sets the complete list of open breakers in another process; empty when that process is gone. */
  reportOpen(process: string, open: readonly OpenBreaker[]): void;
  stop(): Promise<void>;
}

/** Keeps one Plugin object per instance in sync with the kernel, including its breakers; updates run one after another. */
export function keepPluginObjects(parts: Parts): PluginObjects {
  let inForce: Problems = [];
  const breakers = new OpenBreakers();
  let last = Promise.resolve();
  const sync = (refused: Problems = inForce): Promise<void> => {
    inForce = refused;
    last = last
      .then(() => {
        breakers.set(primaryProcess, openBreakersOf(parts.kernel.plugins()));
        return writeAll(parts, inForce, breakers);
      })
      .catch((error: unknown) => parts.log.warn('Plugin objects were not written', { error }));
    return last;
  };
  const leave = parts.kernel.onEvent(({ type }) => void (type.startsWith('breaker.') && sync()));
  return {
    sync,
    reportOpen(process, open) {
      if (breakers.set(process, open)) void sync();
    },
    stop() {
      leave();
      return last;
    },
  };
}

/** Writes all objects, and removes those of instances that are gone. */
async function writeAll({ kernel, resources, clock, log }: Parts, refused: Problems, breakers: OpenBreakers): Promise<void> {
  const states = kernel.plugins();
  const known = new Set(states.map(({ id }) => id));
  for (const state of states) {
    const conditions = [readyOf(state), configuredOf(concerning(state.id, refused, known))];
    await write(resources, state, breakers.of(state.id), conditions, clock.nowMs()).catch((error: unknown) =>
      log.warn('a Plugin object was not written', { plugin: state.id, error }),
    );
  }
  for await (const object of resources.list(PluginStatus, { itemsMax: 10_000 })) {
    if (!known.has(object.metadata.name)) await resources.delete(PluginStatus, { name: object.metadata.name });
  }
}

const permissionsMax = 1_000;

async function write(
  resources: Resources,
  state: PluginState,
  open: readonly OpenInProcesses[],
  conditions: readonly Condition[],
  nowMs: number,
): Promise<void> {
  const { id, plugin, package: use, version } = state;
  const spec = { use, version, id: plugin };
  const key = { name: id };
  const known = await resources.apply(PluginStatus, key, { spec });
  const status = {
    state: capitalised(state.phase),
    mode: state.mode,
    initMs: Math.round(state.initMs * 10) / 10,
    hooks: [...new Set(state.hooks)],
    provides: state.provides,
    kinds: state.kinds,
    permissions: permissionLines(state.permissions).slice(0, permissionsMax),
    openBreakers: open.map(({ hook }) => hook),
    openBreakerProcesses: open,
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
  const refusalText = `the configuration was not taken over: ${first.path === '' ? '' : `${first.path}: `}${first.message}`;
  return {
    type: 'Configured',
    status: 'False',
    reason: 'ReloadRefused',
    message: `${refusalText.slice(0, messageCharactersMax)}${others}`,
  };
}

/** Returns the problems of an instance. Problems that belong to no running instance block every change, so all instances report them. */
function concerning(id: string, problems: Problems, known: ReadonlySet<string>): Problems {
  const instanceOf = ({ path }: Problems[number]) => /^plugins\.([^.]+)/.exec(path)?.[1] ?? '';
  const own = problems.filter((problem) => instanceOf(problem) === id);
  return own.length > 0 ? own : problems.filter((problem) => !known.has(instanceOf(problem)));
}

const capitalised = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
