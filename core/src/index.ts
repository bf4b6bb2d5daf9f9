/**
 * `@tappaas/core`: the kernel for embedding programs and the test kit. Plugins never import it; the `tappaas` command is this package's
 * `bin`.
 */
export { providesStore, startMemoryPlatform, type MemoryPlatform, type MemoryPlatformOptions } from './memory-platform.js';
export {
  formatProblem,
  loadKernel,
  loadKernelFrom,
  type GivenService,
  type Kernel,
  type LoadedPlugin,
  type StopReport,
} from './kernel/kernel.js';
export { recordManifest, type PackageJson } from './kernel/manifest/record.js';
export { entryOf } from './kernel/manifest/package-source.js';
export type { PluginManifest } from './kernel/manifest/manifest.js';
export { createMemoryStore } from './store/memory-store.js';
export { flowErrors } from './flow/errors.js';
export { resourceErrors } from './resources/errors.js';
