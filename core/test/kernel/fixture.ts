import type { AdmissionRequest, LogLine, PlatformEvent, Plugin, Resources } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import { loadKernelFrom, type InMemoryOptions, type Kernel, type LoadedPlugin } from '../../dist/kernel/kernel.js';
import { VirtualClock } from '../virtual-clock.ts';

/** A kernel in memory with everything that a test looks at. */
export interface Loaded {
  readonly kernel: Kernel;
  readonly clock: VirtualClock;
  readonly lines: readonly LogLine[];
  readonly events: readonly PlatformEvent[];
}

export const unused = {} as Resources;

export async function load(plugins: readonly LoadedPlugin[], options: Partial<InMemoryOptions> = {}): Promise<Loaded> {
  const clock = new VirtualClock();
  const lines: LogLine[] = [];
  const events: PlatformEvent[] = [];
  const kernel = await loadKernelFrom({
    plugins,
    clock,
    random: () => 0.5,
    env: {},
    log: (line) => void lines.push(line),
    kernelVersion: '0.1.0',
    resourcesFor: () => unused,
    ...options,
  });
  kernel.onEvent((event) => void events.push(event));
  return { kernel, clock, lines, events };
}

export async function start(plugins: readonly LoadedPlugin[], options: Partial<InMemoryOptions> = {}): Promise<Loaded> {
  const loaded = await load(plugins, options);
  await loaded.kernel.start();
  return loaded;
}

export const selector = { kind: Application, operation: 'create' } as const;

/** A request about an application. */
export function request(spec: object = {}): AdmissionRequest<typeof Application> {
  const object = { apiVersion: 'apps.tappaas.dev/v1alpha1', kind: 'Application', metadata: { name: 'shop', namespace: 'team' }, spec };
  return { operation: 'create', caller: { name: 'ann', groups: [] }, dryRun: false, object: object as never };
}

/** A promise that nobody keeps. */
export const never = (): Promise<never> => new Promise(() => {});

export const only = (plugin: Plugin) => [{ id: plugin.id, plugin }];

/** The value of one line of the metrics page. */
export function metric(kernel: Kernel, line: string): number | undefined {
  const found = kernel.metrics
    .text()
    .split('\n')
    .find((one) => one.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

/** Fails unless it rejects; answers the error. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { readonly code?: string; readonly plugin?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not reject');
}
