import { errorTable, type ErrorSpec } from '@tappaas/sdk';
import type { Position, Problem } from './problem.js';

const plugin = { httpStatus: 500, blame: 'plugin', retry: 'back-off' } as const;
const platform = { httpStatus: 500, blame: 'platform', retry: 'back-off' } as const;
const load = { httpStatus: 500, blame: 'platform', retry: 'never' } as const;
const problem = (remedy: string): ErrorSpec => ({ ...load, remedy });

/** Errors while plugins run. */
export const guardErrors = errorTable({
  TAP_PLUGIN_FAILED: { ...plugin, remedy: 'Read the log lines of the plugin; report the error to its author.' },
  TAP_PLUGIN_TIMEOUT: {
    ...plugin,
    httpStatus: 504,
    remedy: 'Find out what the plugin waits for, or raise its "limits.<hook>.timeoutMs" in the configuration.',
  },
  TAP_PLUGIN_RESULT_INVALID: {
    ...plugin,
    remedy: 'Report the result to the plugin’s author; set "mode: off" to go on without the plugin.',
  },
  TAP_PLUGIN_CIRCUIT_OPEN: {
    ...platform,
    httpStatus: 503,
    remedy: 'Wait for the plugin’s breaker to close, or fix the cause that its earlier failures in the log name.',
  },
  TAP_PLUGIN_NOT_RUNNING: {
    ...platform,
    httpStatus: 503,
    remedy: 'Run "tappaas plugins" to see why the plugin is not running; set "mode: off" to go on without it.',
  },
  TAP_DEADLINE_EXCEEDED: {
    ...platform,
    httpStatus: 504,
    remedy: 'Try again; if it persists, see which plugin takes the time on the metrics page.',
  },
  TAP_SERVICE_UNAVAILABLE: {
    ...platform,
    httpStatus: 503,
    remedy: 'Run "tappaas plugins" to see why the plugin that provides the service is not running.',
  },
  TAP_STATE_TOO_LARGE: {
    ...plugin,
    retry: 'never',
    remedy: 'Keep at most 64 KiB of JSON under one key of the state; larger data belongs in a kind.',
  },
  TAP_SECRET_UNREADABLE: {
    ...platform,
    httpStatus: 503,
    remedy: 'Set the environment variable, or make the file readable, that the configuration names.',
  },
  TAP_ENGINE_NOT_SERVED: { ...platform, httpStatus: 503, remedy: 'Ask for the connection in a task: tasks start once the API listens.' },
});

/** Errors in the lifecycle of a plugin. */
export const lifecycleErrors = errorTable({
  TAP_SETUP_CLOSED: { ...plugin, retry: 'never', remedy: 'Register everything before "setup" returns.' },
  TAP_SETUP_ASYNC: { ...plugin, retry: 'never', remedy: 'Make "setup" synchronous; do I/O in "provide", "onStart" or a task.' },
  TAP_SETUP_IMPURE: {
    ...plugin,
    retry: 'never',
    remedy: 'Move I/O and the use of services and secrets from "setup" to "provide", "onStart" or a task.',
  },
  TAP_SETUP_FAILED: {
    ...plugin,
    retry: 'never',
    remedy: 'Report the error to the plugin’s author; set "mode: off" to start without the plugin.',
  },
  TAP_SETUP_DUPLICATE: { ...plugin, retry: 'never', remedy: 'Register it once; give several taps at one hook different names.' },
  TAP_PLUGIN_UNDECLARED: { ...plugin, retry: 'never', remedy: 'Build the plugin again, so that its manifest says what it registers.' },
  TAP_PLUGIN_INCOMPLETE: {
    ...plugin,
    retry: 'never',
    remedy: 'Make the same registrations for every configuration; decide inside the handlers what to do.',
  },
  TAP_PLUGIN_NO_EXPORT: { ...plugin, retry: 'never', remedy: 'Export the result of "definePlugin" as the package’s default export.' },
  TAP_PLUGIN_IMPORT_FAILED: { ...plugin, retry: 'never', remedy: 'Reinstall the package; if it persists, report the error to its author.' },
  TAP_PLUGIN_START_FAILED: {
    ...platform,
    retry: 'never',
    remedy: 'Fix what the message names, or set "onBootFailure: continue" on a plugin you can do without.',
  },
  TAP_KERNEL_STOPPED: { ...platform, httpStatus: 503, retry: 'never', remedy: 'Start the platform again.' },
  TAP_KERNEL_NOT_STARTED: { ...platform, httpStatus: 503, retry: 'never', remedy: 'Wait until the platform has started.' },
  TAP_CONFIG_INVALID: { ...load, remedy: 'Correct every problem listed, then run "tappaas check".' },
});

/** Problems found before any plugin code runs; they are reported together. */
export const problemErrors = errorTable({
  TAP_CONFIG_UNREADABLE: problem(
    'Name the file with --file (-f), as in "tappaas check -f examples/laptop/tappaas.yaml"; check its permissions.',
  ),
  TAP_CONFIG_SYNTAX: problem('Correct the YAML at the place named.'),
  TAP_CONFIG_EXTENDS_UNREADABLE: problem(
    'Correct the path, which starts from the directory of the file that it stands in; check permissions.',
  ),
  TAP_CONFIG_EXTENDS_CYCLE: problem('Remove one "extends" of the cycle.'),
  TAP_CONFIG_UNKNOWN_KEY: problem('Remove the key or correct its spelling.'),
  TAP_CONFIG_MISSING_KEY: problem('Add the key.'),
  TAP_CONFIG_TYPE: problem('Write a value of the type named.'),
  TAP_CONFIG_VALUE: problem('Write one of the values allowed.'),
  TAP_CONFIG_SECRET_LITERAL: problem('Write where the secret is: { env: NAME }, { file: path } or { store, path, key }.'),
  TAP_CONFIG_SECRET_STORE: problem('Name a configured instance that provides a secret store.'),
  TAP_CONFIG_INSTANCE_ID: problem('Use lower-case words joined by hyphens, at most 63 characters.'),
  TAP_CONFIG_ORDER_UNKNOWN: problem('Name hooks of the platform and configured instances that tap them.'),
  TAP_CONFIG_LIMIT_UNKNOWN: problem('Limit only hooks that the plugin taps.'),
  TAP_CONFIG_BOOT_FAILURE: problem('Remove "onBootFailure: continue" from this plugin: the platform cannot do without it.'),
  TAP_CONFIG_MODE: problem('Use shadow only for plugins that merely gate, transform, batch or observe.'),
  TAP_PACKAGE_NOT_FOUND: problem(
    'Install the package beside the configuration file, or name a directory, as seen from that file, that has a package.json.',
  ),
  TAP_PACKAGE_NOT_A_PLUGIN: problem(
    'Name a package that is a plugin; its author adds "tappaas.manifest" to package.json and runs tappaas-manifest.',
  ),
  TAP_MANIFEST_INVALID: problem('Build or reinstall the plugin.'),
  TAP_MANIFEST_KERNEL_RANGE: problem('Install a version of the plugin that was made for this kernel.'),
  TAP_MANIFEST_HOOK_UNKNOWN: problem('Install a version of the plugin that was made for this kernel.'),
  TAP_MANIFEST_HOOK_VERSION: problem('Install a version of the plugin that was made for this kernel.'),
  TAP_LOCK_UNREADABLE: problem('Restore tappaas.lock from version control, or delete it to trust what is installed.'),
  TAP_LOCK_INTEGRITY: problem('Reinstall the package; if the change is yours, run "tappaas plugins approve" (with the same --file).'),
  TAP_LOCK_PERMISSIONS: problem('Read the permissions, then run "tappaas plugins approve" (with the same --file) to accept them.'),
  TAP_GRAPH_UNMET: problem('Configure a plugin that provides the service.'),
  TAP_GRAPH_CONTRACT: problem('Install versions of both plugins that agree on the service.'),
  TAP_GRAPH_CYCLE: problem('Remove one of the needs of the cycle.'),
  TAP_GRAPH_TWO_OWNERS: problem('Remove one of the two instances.'),
  TAP_ORDER_CYCLE: problem('Remove one of the ordering constraints of the cycle.'),
  TAP_ORDER_IGNORED: problem('Nothing to do: the ordering constraint names a plugin that is not loaded.'),
  TAP_RELOAD_NEEDS_RESTART: problem('Restart the platform to apply the change.'),
});

export type ProblemCode = keyof typeof problemErrors;

/** Returns the remedy for a problem. */
export const remedyOf = (code: ProblemCode): string => problemErrors[code]({ message: code }).spec.remedy;

/** Problems are reported as one error with exit code 78 (EX_CONFIG). */
export const configExitCode = 78;

/** Makes a problem with its remedy. */
export function makeProblem(
  code: ProblemCode,
  path: string,
  message: string,
  at?: Position,
  severity: Problem['severity'] = 'error',
): Problem {
  const remedy = remedyOf(code);
  return at === undefined ? { code, severity, path, message, remedy } : { code, severity, at, path, message, remedy };
}
