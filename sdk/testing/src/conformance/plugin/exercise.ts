import { isTapError, type Node, type PodTemplate, type TapError } from '@tappaas/sdk';
import type { MemoryTestKernel } from '../../memory-test-kernel.js';
import type { PluginHarness, SampleObject } from './harness.js';
import { subjectsOf } from './subjects.js';

const pod: PodTemplate = { spec: { containers: [{ name: 'main', image: 'example/app:1', resources: { requests: { cpu: '100m' } } }] } };
const nodes = ['a', 'b'].map((name): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } },
}));

/** Creates the objects that the plugin reconciles. */
export async function createReconciled(kernel: MemoryTestKernel, harness: PluginHarness): Promise<readonly SampleObject[]> {
  const { reconciled } = subjectsOf(kernel, harness);
  for (const { kind, engine, object } of reconciled) {
    const { name, namespace, labels, annotations, ...fields } = object;
    const metadata = { name, namespace, labels, annotations };
    await kernel.platform.resources(engine).create(kind, { metadata, ...fields });
  }
  return reconciled;
}

/**
 * Calls the plugin's taps and routes once; returns the plugin's own faults as texts. Denials, and errors about what it lacks, are not
 * faults.
 */
export async function callTaps(kernel: MemoryTestKernel, harness: PluginHarness): Promise<readonly string[]> {
  const { id } = harness.plugin;
  const faults: string[] = [];
  const attempt = async (what: string, ask: () => Promise<unknown>): Promise<void> => {
    try {
      await ask();
    } catch (error) {
      if (!isTapError(error)) throw error;
      if (isOwnFault(error, id)) faults.push(`${what}: ${error.message}`);
    }
  };
  for (const { kind, object } of subjectsOf(kernel, harness).tapped) {
    await attempt(`admission of ${kind.kind}`, async () => {
      const { denials } = await kernel.platform.admit(kind, object);
      for (const denial of denials) {
        if (denial.plugin === id && denial.reason === 'PluginFailed') faults.push(`admission of ${kind.kind}: ${denial.message}`);
      }
    });
    await attempt(`render of ${kind.kind}`, () => kernel.platform.render(kind, object));
  }
  const { routes, taps } = kernel.platform.kernel.registrations();
  const schedules = taps.some(({ plugin, hook }) => plugin === id && hook.startsWith('scheduling.'));
  if (schedules) await attempt('scheduling', () => kernel.schedule(pod, nodes));
  for (const { plugin, value } of routes) {
    if (plugin !== id || value.method !== 'GET' || value.path.includes(':')) continue;
    const { status, text } = await kernel.http('GET', `/plugins/${id}${value.path}`);
    // The plugin is not to blame for an unavailable upstream.
    if (status >= 500 && status !== 502) faults.push(`GET ${value.path}: ${status} ${text}`);
  }
  return faults;
}

/** Whether the plugin itself is at fault: it failed, missed its deadline, returned an invalid result or was not running. */
function isOwnFault({ code, plugin }: TapError, id: string): boolean {
  return plugin === id && /^TAP_(?:PLUGIN|SERVICE)_(?!PERMISSION)/.test(code);
}
