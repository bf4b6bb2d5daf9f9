import type { HookDeclaration, Secret, SecretSource } from '@tappaas/sdk';
import { families } from '@tappaas/sdk';
import { didYouMean } from '../config/nearest-name.js';
import { nodeAt, placeOf, plainOf, type ConfigNode } from '../config/node.js';
import { checkValue } from '../config/schema-check.js';
import type { StoredSource } from '../config/secret-source.js';
import { makeProblem, remedyOf } from '../errors.js';
import type { GivenProvider, GraphNode } from '../graph/graph-node.js';
import { doubleOwners } from '../graph/owners.js';
import { serviceGraph } from '../graph/service-graph.js';
import { tapOrder, type OrderedTap, type OrderPreference } from '../graph/tap-order.js';
import { freezePlain } from '../hooks/frozen.js';
import { checkLock } from '../lock/check-lock.js';
import type { LockEntries } from '../lock/lock-file.js';
import { incompatibilities } from '../manifest/compatible.js';
import type { JsonSchema } from '../manifest/manifest.js';
import type { NoSource, PluginSource } from '../manifest/package-source.js';
import type { Position, Problem } from '../problem.js';
import { instanceProblems } from './instance-checks.js';
import type { HookLimits, InstancePlan, Mode, OffInstance } from './instance-plan.js';
import { instanceIdPattern } from './platform-schema.js';
import { unprovided } from './unprovided.js';

/** The meaning of a configuration, determined without running plugin code. A reload makes a new plan and compares them. */
export interface Plan {
  readonly instances: readonly InstancePlan[];
  readonly off: readonly OffInstance[];
  /** Instance ids in start order. */
  readonly levels: readonly (readonly string[])[];
  readonly taps: readonly OrderedTap[];
  /** Decoded sections of the composition root. */
  readonly sections: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];
}

export interface PlanInput {
  readonly root: ConfigNode;
  readonly schema: JsonSchema;
  readonly kernelVersion: string;
  readonly hooks: ReadonlyMap<string, HookDeclaration>;
  readonly given: readonly GivenProvider[];
  /** Ids of services that the composition root needs. */
  readonly requires: readonly string[];
  readonly sourceOf: (instance: string, use: string) => Promise<PluginSource | NoSource>;
  readonly makeSecret: (source: SecretSource) => Secret;
  /** Undefined when the plugins are in memory and not locked. */
  readonly lock: LockEntries | 'absent' | undefined;
}

/** Keys of a configuration file that belong to the kernel itself. */
const documentKeys = new Set(['apiVersion', 'kind', 'extends', 'order', 'plugins']);

/** The settings of each instance in the file; refused values are absent. */
type Written = Readonly<
  Record<string, { readonly use?: string; readonly mode?: Mode; readonly onBootFailure?: string; readonly limits?: HookLimits } | undefined>
>;

/** Runs steps 2 to 5: packages, manifests, lock, configuration, graph and order. Reports every problem of every plugin together. */
export async function makePlan(input: PlanInput): Promise<Plan> {
  const root = withSections(input.root, input.schema);
  const document = checkValue(root, input.schema, [], input.makeSecret);
  const {
    plugins: _plugins,
    order: _order,
    apiVersion: _version,
    kind: _kind,
    ...sections
  } = (document.value ?? {}) as Record<string, unknown>;
  const written = ((document.value ?? {}) as { readonly plugins?: Written }).plugins ?? {};
  const made = await Promise.all(Object.keys(written).map((id) => planInstance(id, written, input)));
  const planned = made.flatMap(({ instance }) => instance ?? []);
  // Nothing is known about these except their own problem, so references to them are not reported as wrong.
  const unknown = new Set(Object.keys(written).filter((_, n) => made[n]?.instance === undefined && made[n]?.off === undefined));
  const instances = planned.map((instance) => ({ ...instance, met: metNeeds(instance, planned, input.given) }));
  const nodes = instances.map((instance) => graphNode(instance, root));
  const graph = serviceGraph(nodes, input.given);
  const order = tapOrder(nodes, orderPreferences(root));
  const off = made.flatMap((each) => each.off ?? []);
  const problems = [
    ...document.problems,
    ...made.flatMap(({ problems }) => problems),
    ...graph.problems,
    // One of the unknown instances may be the provider.
    ...(unknown.size > 0 ? [] : unprovided({ ...input, instances, off })),
    ...doubleOwners(nodes),
    ...storeProblems(
      instances,
      made.flatMap(({ stores }) => stores).filter(({ store }) => !unknown.has(store)),
    ),
    ...orderProblems(root, nodes, new Set([...unknown, ...off.map(({ id }) => id)]), input.hooks),
    ...order.problems,
  ];
  return {
    instances,
    off,
    levels: graph.levels,
    taps: order.taps,
    sections: freezePlain(sections),
    problems,
  };
}

interface PlannedInstance {
  readonly instance?: InstancePlan;
  readonly off?: OffInstance;
  readonly problems: readonly Problem[];
  readonly stores: readonly { readonly store: string; readonly path: string; readonly at: Position | undefined }[];
}

async function planInstance(id: string, written: Written, input: PlanInput): Promise<PlannedInstance> {
  const { root } = input;
  const { use, mode = 'enforce', onBootFailure, limits = {} } = written[id] ?? {};
  const place = (...path: readonly string[]) => placeOf(root, 'plugins', id, ...path);
  const problems: Problem[] = [];
  if (!new RegExp(instanceIdPattern, 'u').test(id) || id.length > 63) {
    problems.push(makeProblem('TAP_CONFIG_INSTANCE_ID', `plugins.${id}`, `"${id}" cannot be an instance id`, place()));
  }
  if (use === undefined) return { problems, stores: [] };
  const source = await input.sourceOf(id, use);
  if (mode === 'off') return { problems, stores: [], off: { id, use, manifest: 'manifest' in source ? source.manifest : undefined } };
  if (!('manifest' in source)) {
    const at = place('use');
    const absent: Problem = { ...source, severity: 'error', path: `plugins.${id}.use`, ...(at === undefined ? {} : { at }) };
    return { problems: [...problems, absent], stores: [] };
  }
  const { manifest } = source;
  for (const { code, message } of incompatibilities(manifest, input.kernelVersion, input.hooks)) {
    problems.push(makeProblem(code, `plugins.${id}.use`, message, place('use')));
  }
  const lock = input.lock === undefined ? undefined : await checkLock(source, input.lock);
  if (lock?.problem) {
    const { code, message } = lock.problem;
    // Insert the instance, so that the command can be copied.
    const remedy = remedyOf(code).replace('tappaas plugins approve', `tappaas plugins approve ${id}`);
    problems.push({ ...makeProblem(code, `plugins.${id}.use`, message, place('use')), remedy });
  }
  const mayFail = onBootFailure === 'continue';
  problems.push(...instanceProblems({ id, mode, mayFail, limits, placeOf: place }, manifest, (hook) => input.hooks.get(hook)?.kind));
  const node = configNode(root, id);
  const stored: StoredSource[] = [];
  const config = checkValue(node, manifest.config, ['plugins', id, 'config'], (source) => {
    if ('store' in source) stored.push(source);
    return input.makeSecret(source);
  });
  problems.push(...config.problems);
  const instance: InstancePlan = {
    id,
    use,
    manifest,
    source,
    mode,
    mayFail,
    limits,
    written: plainOf(node),
    config: freezePlain(config.value),
    stored,
    lock: lock?.entry,
    met: [],
  };
  return { instance, problems, stores: config.stores };
}

/** Gives omitted sections their defaults, or the problems of an empty section. */
function withSections(root: ConfigNode, schema: JsonSchema): ConfigNode {
  if (root.kind !== 'map') return root;
  const names = Object.keys(schema['properties'] as object).filter((name) => !documentKeys.has(name) && !root.entries.has(name));
  const empty: { readonly keyAt: undefined; readonly node: ConfigNode } = {
    keyAt: undefined,
    node: { kind: 'map', at: root.at, entries: new Map() },
  };
  return { ...root, entries: new Map([...root.entries, ...names.map((name) => [name, empty] as const)]) };
}

function metNeeds(instance: InstancePlan, all: readonly InstancePlan[], given: readonly GivenProvider[]): readonly string[] {
  const provided = new Set([...all.flatMap(({ manifest }) => manifest.provides.map(({ id }) => id)), ...given.map(({ id }) => id)]);
  return instance.manifest.needs.map(({ id }) => id).filter((id) => provided.has(id));
}

/** Returns the `config` of an instance, or an empty one at the position of the instance. */
function configNode(root: ConfigNode, id: string): ConfigNode {
  const node = nodeAt(root, 'plugins', id, 'config');
  return node ?? { kind: 'map', at: placeOf(root, 'plugins', id), entries: new Map() };
}

function graphNode(instance: InstancePlan, root: ConfigNode): GraphNode {
  return {
    id: instance.id,
    manifest: instance.manifest,
    stores: [...new Set(instance.stored.map(({ store }) => store))],
    at: placeOf(root, 'plugins', instance.id),
  };
}

function storeProblems(instances: readonly InstancePlan[], named: PlannedInstance['stores']): readonly Problem[] {
  const stores = instances.filter(({ manifest }) => manifest.provides.some(({ id }) => id === families.secretStore.id)).map(({ id }) => id);
  return named
    .filter(({ store }) => !stores.includes(store))
    .map(({ store, path, at }) =>
      makeProblem('TAP_CONFIG_SECRET_STORE', path, `"${store}" is no secret store${didYouMean(store, stores)}`, at),
    );
}

function orderPreferences(root: ConfigNode): readonly OrderPreference[] {
  const order = nodeAt(root, 'order');
  if (order?.kind !== 'map') return [];
  return [...order.entries].flatMap(([hook, { keyAt, node }]) =>
    node.kind === 'list' ? [{ hook, instances: node.items.map((item) => String(plainOf(item))), at: keyAt }] : [],
  );
}

/** Suggests the most similar hook, or else lists all hooks of its family. */
function meantHooks(hook: string, known: readonly string[]): string {
  const family = known.filter((each) => each.startsWith(`${hook.split('.')[0] ?? ''}.`));
  return didYouMean(hook, known) || (family.length === 0 ? '' : `; there are ${family.toSorted().join(', ')}`);
}

function orderProblems(
  root: ConfigNode,
  nodes: readonly GraphNode[],
  notAsked: ReadonlySet<string>,
  hooks: ReadonlyMap<string, HookDeclaration>,
): readonly Problem[] {
  return orderPreferences(root).flatMap(({ hook, instances, at }) => {
    const path = `order.${hook}`;
    if (!hooks.has(hook))
      return [makeProblem('TAP_CONFIG_ORDER_UNKNOWN', path, `there is no hook ${hook}${meantHooks(hook, [...hooks.keys()])}`, at)];
    const tapping = nodes.filter(({ manifest }) => manifest.taps.some((tap) => tap.hook === hook)).map(({ id }) => id);
    return instances.flatMap((id, n) => {
      if (tapping.includes(id) || notAsked.has(id)) return [];
      const isLoaded = nodes.some((node) => node.id === id);
      const message = isLoaded ? `plugin ${id} has no tap at ${hook}` : `there is no instance ${id}${didYouMean(id, tapping)}`;
      return [makeProblem('TAP_CONFIG_ORDER_UNKNOWN', `${path}[${n}]`, message, nodeAt(root, 'order', hook, String(n))?.at)];
    });
  });
}
