import path from 'node:path';
import { isTapError } from '@tappaas/sdk';
import { readConfigFiles } from '../config/files.js';
import { nodeOf, type ConfigNode } from '../config/node.js';
import { secretMaker, type StoredSource } from '../config/secret-source.js';
import { makeProblem, remedyOf, type ProblemCode } from '../errors.js';
import type { GivenProvider } from '../graph/graph-node.js';
import type { InMemoryOptions, KernelOptions, LoadedPlugin } from '../kernel.js';
import { lockPathOf, readLock, writeLock, type LockEntries } from '../lock/lock-file.js';
import { platformHooks } from '../manifest/compatible.js';
import { findInstalled, readPackageSource, type NoSource, type PluginSource } from '../manifest/package-source.js';
import { declarationOf, recordManifest } from '../manifest/record.js';
import { platformApiVersion, platformSchema } from '../plan/platform-schema.js';
import { makePlan, type Plan } from '../plan/plan.js';
import type { Problem } from '../problem.js';

/** Provides plans: called at load and again at every reload. */
export interface PlanSource {
  readonly configFile: string | undefined;
  plan(): Promise<{ readonly plan: Plan; readonly root: ConfigNode }>;
  /** Called when a plan without errors is about to run. */
  accept(plan: Plan): Promise<void>;
}

export type StoredValue = (source: StoredSource) => Uint8Array | undefined;

type FileOptions = Pick<KernelOptions, 'configFile' | 'sections' | 'resolvePackage' | 'services' | 'requires' | 'env' | 'kernelVersion'>;

export function filePlans(options: FileOptions, stored: StoredValue, warn: (message: string) => void): PlanSource {
  const configFile = path.resolve(options.configFile);
  const directory = path.dirname(configFile);
  const lockFile = lockPathOf(configFile);
  const hooks = new Map(platformHooks().map((hook) => [hook.name, hook]));
  const find = options.resolvePackage ?? findInstalled;
  return {
    configFile,
    async plan() {
      const [read, lock] = await Promise.all([readConfigFiles(configFile), readLock(lockFile)]);
      if (read.problems.length > 0) return { plan: emptyPlan(read.problems), root: read.node };
      const damaged = lock === 'damaged' ? [makeProblem('TAP_LOCK_UNREADABLE', '', `${path.basename(lockFile)} cannot be read`)] : [];
      const plan = await makePlan({
        root: read.node,
        schema: platformSchema(options.sections ?? {}),
        kernelVersion: options.kernelVersion,
        hooks,
        given: givenProviders(options.services),
        requires: (options.requires ?? []).map(({ id }) => id),
        makeSecret: secretMaker({ env: options.env, directory, stored }),
        lock: lock === 'damaged' ? 'absent' : lock,
        sourceOf: (_id, use) => readPackageSource(use, directory, find),
      });
      return { plan: { ...plan, problems: [...damaged, ...plan.problems] }, root: read.node };
    },
    async accept({ instances }) {
      const before = await readLock(lockFile);
      const after: LockEntries = Object.fromEntries(instances.flatMap(({ manifest, lock }) => (lock ? [[manifest.package, lock]] : [])));
      const kept = typeof before === 'string' ? {} : before;
      const next = { ...kept, ...after };
      if (JSON.stringify(next) === JSON.stringify(kept)) return;
      try {
        await writeLock(lockFile, next);
      } catch (error) {
        warn(`${path.basename(lockFile)} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'}); nothing is locked`);
      }
    },
  };
}

export interface MemoryPlans extends PlanSource {
  replace(plugins: readonly LoadedPlugin[]): void;
}

type MemoryOptions = Pick<InMemoryOptions, 'plugins' | 'order' | 'services' | 'env' | 'kernelVersion'>;

export function memoryPlans(options: MemoryOptions, stored: StoredValue): MemoryPlans {
  let { plugins } = options;
  const hooks = new Map(platformHooks().map((hook) => [hook.name, hook]));
  return {
    configFile: undefined,
    replace(next) {
      plugins = next;
    },
    async plan() {
      const root = rootOf(plugins, options.order);
      const plan = await makePlan({
        root,
        schema: platformSchema({}),
        kernelVersion: options.kernelVersion,
        hooks,
        given: givenProviders(options.services),
        requires: [],
        makeSecret: secretMaker({ env: options.env, directory: '.', stored }),
        lock: undefined,
        sourceOf: (id) => Promise.resolve(memorySource(plugins.find((plugin) => plugin.id === id))),
      });
      return { plan: { ...plan, problems: [...doubleIds(plugins), ...plan.problems] }, root };
    },
    accept: () => Promise.resolve(),
  };
}

function rootOf(plugins: readonly LoadedPlugin[], order: InMemoryOptions['order']): ConfigNode {
  const instances = plugins.map(({ id, plugin, config, options }) => [id, { use: plugin.id, config, ...options }] as const);
  return nodeOf({ apiVersion: platformApiVersion, kind: 'Platform', order, plugins: Object.fromEntries(instances) });
}

function memorySource(loaded: LoadedPlugin | undefined): PluginSource | NoSource {
  if (loaded === undefined) return unloadable('TAP_PACKAGE_NOT_FOUND', 'the plugin is not loaded');
  const declaration = declarationOf(loaded.plugin);
  try {
    const manifest = recordManifest(loaded.plugin, {});
    return { manifest, directory: undefined, linked: true, load: () => Promise.resolve(declaration) };
  } catch (error) {
    if (isTapError(error)) return { code: error.code, message: error.message, remedy: error.spec.remedy };
    return unloadable('TAP_MANIFEST_INVALID', error instanceof Error ? error.message : String(error));
  }
}

const unloadable = (code: ProblemCode, message: string): NoSource => ({ code, message, remedy: remedyOf(code) });

function doubleIds(plugins: readonly LoadedPlugin[]): readonly Problem[] {
  const ids = plugins.map(({ id }) => id);
  const twice = ids.filter((id, n) => ids.indexOf(id) !== n);
  return twice.map((id) => makeProblem('TAP_GRAPH_TWO_OWNERS', `plugins.${id}`, `two plugins are loaded as ${id}`));
}

const givenProviders = (services: KernelOptions['services'] = []): readonly GivenProvider[] =>
  services.map(({ service, key }) => (key === undefined ? { id: service.id } : { id: service.id, key }));

const emptyPlan = (problems: readonly Problem[]): Plan => ({ instances: [], off: [], levels: [], taps: [], sections: {}, problems });
