import {
  type AnyKind,
  type Capability,
  type Controller,
  type Immutable,
  type KubernetesObject,
  type RenderFacts,
  type Rendering,
  type RenderSet,
  type Resources,
} from '@tappaas/sdk';
import type { Kernel, Registered } from '../../kernel/kernel.js';
import { createRenderSet } from '../../reconcile/render-set.js';
import type { EngineObject } from '../engine-object.js';
import { reconcileContext } from '../controllers/reconcile-context.js';
import { shapedByTaps } from '../rendering/render-taps.js';
import { memoryErrors } from './errors.js';

/** Facts of a rendering without a chosen cluster and without records. */
export interface RenderOptions {
  readonly capabilities?: readonly Capability[];
  /** Default: inputs from the controller's `prepare`, and a cluster without capabilities. */
  readonly facts?: RenderFacts;
  /** Base objects that replace those of the kind's controller. */
  readonly base?: readonly KubernetesObject[];
}

export interface RenderParts {
  readonly kernel: Kernel;
  readonly resourcesOf: (plugin: string) => Resources;
}

type Object = Immutable<EngineObject>;
type AnyController = Registered<Controller<AnyKind>>;
type Renderer = Registered<Controller<AnyKind> & Rendering<AnyKind>>;

/** Renders an object with the kind's controller and all render taps, in the order of a reconcile but without a cluster. */
export async function renderObject(parts: RenderParts, kind: AnyKind, object: Object, options: RenderOptions): Promise<RenderSet> {
  const { kernel } = parts;
  const owner = kernel.registrations().controllers.find((registered): registered is Renderer => rendersKind(registered, kind));
  const capabilities = options.capabilities ?? options.facts?.cluster.capabilities ?? [];
  const base = options.base ?? (owner ? await baseOf(parts, owner, object, capabilities, options.facts) : []);
  const set = createRenderSet(base, { actor: () => kernel.pluginOf() ?? owner?.plugin ?? 'platform' });
  return shapedByTaps(kernel, kind, object, set, capabilities);
}

const rendersKind = ({ value }: AnyController, { group, kind }: AnyKind): boolean =>
  value.render !== undefined && value.kind.group === group && value.kind.kind === kind;

async function baseOf(
  parts: RenderParts,
  owner: Renderer,
  object: Object,
  capabilities: readonly Capability[],
  given: RenderFacts | undefined,
): Promise<readonly KubernetesObject[]> {
  const facts = given ?? { ...factsOf(object, capabilities), inputs: await inputsOf(parts, owner, object) };
  return owner.guard.callSync({ name: 'controller.render', limitMs: 1_000 }, () => owner.value.render(object, facts));
}

function factsOf({ metadata }: Object, capabilities: readonly Capability[]): Omit<RenderFacts, 'inputs'> {
  return {
    cluster: { name: 'test', namespace: metadata.namespace ?? 'default', capabilities, profiles: ['workloads', 'batch', 'config'] },
    ingress: { scheme: 'http', hostSuffix: 'localhost', port: 8080 },
  };
}

/** @throws TAP_RENDER_NOT_READY with the conditions of what the controller waits for */
async function inputsOf({ resourcesOf }: RenderParts, { plugin, guard, value }: Renderer, object: Object): Promise<RenderFacts['inputs']> {
  if (value.prepare === undefined) return {};
  const parts = { object, kind: value.kind, resources: resourcesOf(plugin), emit: () => undefined };
  const prepared = await guard.call({ name: 'controller.prepare', limitMs: 60_000 }, async (context) =>
    value.prepare?.(object, reconcileContext(context, parts)),
  );
  if (prepared === undefined) return {};
  if (prepared.ready) return prepared.inputs;
  const waitsFor = prepared.conditions.map(({ type, reason, message }) => `${type} ${reason}: ${message}`).join('; ');
  throw memoryErrors.TAP_RENDER_NOT_READY({ message: `plugin ${plugin} is not ready to render ${object.metadata.name}: ${waitsFor}` });
}
