import { isTapError, type PluginDeclaration } from '@tappaas/sdk';
import { lifecycleErrors } from '../errors.js';
import { followFrame } from '../guard/identity.js';
import { isThenable } from '../guard/guard.js';
import { describe, type Description } from '../manifest/describe.js';
import { duplicates } from '../manifest/declared.js';
import { watchPurity } from './purity.js';
import { openHost, type HostDevices } from './setup-host.js';
import type { SetupRecord } from './setup-record.js';

export interface SetupInput {
  readonly declaration: PluginDeclaration;
  readonly instance: string;
  /** Decoded and frozen. */
  readonly config: unknown;
  readonly services: Readonly<Record<string, unknown>>;
  readonly devices: HostDevices;
}

/** The registrations of a plugin, and their description as data. */
export interface SetupResult {
  readonly record: SetupRecord;
  readonly description: Description;
}

/**
 * Runs a plugin's `setup` once.
 *
 * @throws TAP_SETUP_FAILED, TAP_SETUP_ASYNC, TAP_SETUP_IMPURE or TAP_SETUP_DUPLICATE, naming the plugin.
 */
export function runSetup(input: SetupInput): SetupResult {
  const { declaration, instance } = input;
  const opened = openHost(instance, input.devices);
  const impure = (what: string) => {
    const error = lifecycleErrors.TAP_SETUP_IMPURE({ message: `setup of plugin ${instance} does I/O: ${what}` });
    error.plugin = instance;
    return error;
  };
  try {
    const call = () => declaration.setup(opened.host, input.config, input.services) as unknown;
    const { result, seen } = watchPurity(() => followFrame({ plugin: instance, point: 'setup' }, call, undefined, undefined), impure);
    if (typeof result === 'object' && result !== null && isThenable(result)) {
      result.then(undefined, () => {});
      throw lifecycleErrors.TAP_SETUP_ASYNC({ message: `setup of plugin ${instance} returned a promise` });
    }
    if (seen.length > 0) throw impure([...new Set(seen)].join(', '));
    return finish(opened.record, instance);
  } catch (thrown) {
    throw namingPlugin(thrown, instance);
  } finally {
    opened.close();
  }
}

function finish(record: SetupRecord, instance: string): SetupResult {
  const description = describe(record, instance);
  const twice = duplicates(description);
  if (record.configs.length > 1) twice.push('onConfig');
  if (twice.length > 0) {
    throw lifecycleErrors.TAP_SETUP_DUPLICATE({ message: `plugin ${instance} registers twice: ${twice.join('; ')}` });
  }
  return { record, description };
}

function namingPlugin(thrown: unknown, instance: string): Error {
  if (isTapError(thrown) && thrown.code.startsWith('TAP_SETUP_')) {
    thrown.plugin = instance;
    return thrown;
  }
  const text = thrown instanceof Error ? thrown.message : `threw ${typeof thrown}`;
  const error = lifecycleErrors.TAP_SETUP_FAILED({ message: `setup of plugin ${instance} failed: ${text}`, cause: thrown });
  error.plugin = instance;
  return error;
}
