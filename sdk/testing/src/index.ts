/** `@tappaas/testing`: the real kernel in memory with a clock that stands still, and a conformance suite per family. */
export { load, type Loaded, type LoadOptions } from './load.js';
export {
  startTestKernel,
  type Draft,
  type PluginDenial,
  type RenderOptions,
  type Scheduled,
  type TestKernel,
  type TestKernelOptions,
} from './test-kernel.js';
export { VirtualClock } from './virtual-clock.js';
