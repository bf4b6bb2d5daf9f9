import corePackage from '@tappaas/core/package.json' with { type: 'json' };
import {
  formatProblem,
  startMemoryPlatform,
  type GivenService,
  type LoadedPlugin,
  type MemoryPlatform,
  type StopReport,
} from '@tappaas/core';
import type { AnyKind, Immutable, LogLine, Node, ObjectOf, PodTemplate, RenderSet, Resources, Strings } from '@tappaas/sdk';
import { httpRequest, type HttpResult } from './http-request.js';
import type { Loaded } from './load.js';
import { awaitOrAdvance } from './await-or-advance.js';
import { randomFrom } from './random.js';
import type { Draft, PluginDenial, RenderOptions, Scheduled, TestKernel, TestKernelOptions } from './test-kernel.js';
import { VirtualClock } from './virtual-clock.js';

/** Version of the kernel under test; plugins declare the versions they support. */
export const { version } = corePackage;
const runsMax = 1_000;
const quietMsMax = 10_000;
const logLinesMax = 1_000;

/** Starts a test kernel with an in-memory store and a virtual clock. */
export async function startMemoryKernel(options: TestKernelOptions): Promise<MemoryTestKernel> {
  const clock = new VirtualClock();
  const log: LogLine[] = [];
  const { seed = 1, services = [], env, detectLeaks, wrapResources } = options;
  const platform = await awaitOrAdvance(
    clock,
    startMemoryPlatform({
      plugins: options.plugins.map(loadedPlugin),
      services: services.map(([service, value, key = 'test']) =>
        service.arity === 'keyed' ? { service, value, key } : { service, value },
      ),
      clock,
      random: randomFrom(seed),
      version,
      log: (line) => {
        if (log.push(line) > logLinesMax) log.shift();
      },
      ...(env ? { env } : {}),
      ...(detectLeaks === undefined ? {} : { detectLeaks }),
      ...(wrapResources ? { wrapResources } : {}),
    }),
  );
  return new MemoryTestKernel(platform, clock, log, seed);
}

/** Converts a plugin to the kernel's form. */
export const loadedPlugin = ({ id, plugin, config, options }: Loaded): LoadedPlugin => ({ id, plugin, config, options });

/** The test kernel; `platform` is public for the conformance suites. */
export class MemoryTestKernel implements TestKernel {
  readonly clock: VirtualClock;
  readonly log: readonly LogLine[];
  readonly platform: MemoryPlatform;
  readonly #seed: number;

  constructor(platform: MemoryPlatform, clock: VirtualClock, log: readonly LogLine[], seed: number) {
    this.clock = clock;
    this.log = log;
    this.platform = platform;
    this.#seed = seed;
  }

  get resources(): Resources {
    return this.platform.resources();
  }

  resourcesOf(engine: string): Resources {
    return this.platform.resources(engine);
  }

  metricsText(): string {
    return this.platform.kernel.metrics.text();
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  async reload(plugins: readonly Loaded[]): Promise<void> {
    const { outcome, problems } = await awaitOrAdvance(this.clock, this.platform.kernel.reload(plugins.map(loadedPlugin)));
    if (outcome === 'refused') throw new Error(`the reload was refused:\n${problems.map(formatProblem).join('\n')}`);
  }

  async admit<K extends AnyKind>(
    kind: K,
    draft: Draft<K>,
  ): Promise<{ readonly denials: readonly PluginDenial[]; readonly object: Immutable<ObjectOf<K>> }> {
    const { denials, object } = await this.platform.admit(kind, draft);
    const named = denials.map(({ plugin = 'platform', ...denial }) => ({ ...denial, plugin }));
    // Admission handles objects of every kind and returns no specific type; the draft was of this kind.
    return { denials: named, object: object as unknown as Immutable<ObjectOf<K>> };
  }

  render<K extends AnyKind>(kind: K, draft: Draft<K>, options: RenderOptions = {}): Promise<RenderSet> {
    return this.platform.render(kind, draft, options);
  }

  schedule(pod: PodTemplate, nodes: readonly Node[]): Promise<Scheduled> {
    return this.platform.place(pod, nodes);
  }

  async reconcileUntilSettled(): Promise<void> {
    try {
      await this.platform.settle({ runsMax, quietMsMax });
    } catch (error) {
      if (error instanceof Error) error.message += ` (seed ${this.#seed})`;
      throw error;
    }
  }

  async http(method: string, path: string, body?: string | Uint8Array, headers: Strings = {}): Promise<HttpResult> {
    const url = await this.platform.url();
    const type = { 'content-type': contentType(method, body) };
    return httpRequest(`${url}${path}`, method, body, { authorization: 'Bearer test', ...(body === undefined ? {} : type), ...headers });
  }

  async graphql(query: string, variables: object = {}): Promise<unknown> {
    const { status, text } = await this.http('POST', '/graphql', JSON.stringify({ query, variables }));
    const { data, errors } = JSON.parse(text) as { readonly data?: unknown; readonly errors?: readonly unknown[] };
    if (errors !== undefined || data === undefined) throw new Error(`GraphQL answered ${status}: ${text}`);
    return data;
  }

  stop(): Promise<StopReport> {
    return awaitOrAdvance(this.clock, this.platform.stop());
  }

  /** Fails the test if a plugin did not stop cleanly. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { errors, leaks } = await this.stop();
    const messages = [
      ...errors.map(({ plugin, error }) => `plugin ${plugin}: ${error.message}`),
      ...leaks.map(({ plugin, resource, openedAt }) => `plugin ${plugin} left a handle open: ${resource}, opened at ${openedAt}`),
    ];
    if (messages.length > 0) throw new Error(`the plugins did not stop cleanly: ${messages.join('; ')}`, { cause: errors[0]?.error });
  }
}

/** Converts services that no plugin provides to the kernel's form. */
export const givenServices = (services: NonNullable<TestKernelOptions['services']>): readonly GivenService[] =>
  services.map(([service, value, key = 'test']) => (service.arity === 'keyed' ? { service, value, key } : { service, value }));

function contentType(method: string, body: string | Uint8Array | undefined): string {
  if (typeof body !== 'string') return 'application/octet-stream';
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}
