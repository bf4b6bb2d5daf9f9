import { change, freezeDeep, type Immutable, type KubernetesObject, type PodTemplate, type RenderSet } from '@tappaas/sdk';
import { reconcileErrors } from './errors.js';
import { refKey, refOf, refText } from './object-ref.js';

type Frozen = Immutable<KubernetesObject>;

interface Member {
  readonly object: Frozen;
  /** The plugin that added it. */
  readonly by: string;
}

export interface RenderSetOptions {
  /** Returns the instance id of the acting plugin: the controller's while it renders, a tap's while that runs. */
  readonly actor: () => string;
  /** Default 1,000, the limit of a release. */
  readonly objectsMax?: number;
}

/** A render set that also records its contributors. */
export interface AttributedRenderSet extends RenderSet {
  /** Instance ids of the plugins that added, changed or removed something. */
  readonly contributors: readonly string[];
  readonly size: number;
}

/** Makes a set of a controller's base objects for taps to modify. Every method returns a new set, so a tap that fails leaves no trace. */
export function createRenderSet(objects: readonly KubernetesObject[], options: RenderSetOptions): AttributedRenderSet {
  let set: AttributedRenderSet = new ObjectSet(new Map(), new Set(), options);
  for (const object of objects) set = set.add(object) as AttributedRenderSet;
  return set;
}

const podTemplateDepthMax = 8;

class ObjectSet implements AttributedRenderSet {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #plugins: ReadonlySet<string>;
  readonly #options: RenderSetOptions;

  constructor(members: ReadonlyMap<string, Member>, plugins: ReadonlySet<string>, options: RenderSetOptions) {
    this.#members = members;
    this.#plugins = plugins;
    this.#options = options;
  }

  get size(): number {
    return this.#members.size;
  }

  get contributors(): readonly string[] {
    return [...this.#plugins].toSorted();
  }

  *[Symbol.iterator](): Iterator<Frozen> {
    for (const { object } of this.#members.values()) yield object;
  }

  add(object: KubernetesObject): RenderSet {
    const { actor, objectsMax = 1_000 } = this.#options;
    const by = actor();
    const own = ownCopy(object, by);
    const key = refKey(refOf(own));
    const present = this.#members.get(key);
    if (present) {
      const message = `plugin ${by} adds ${refText(refOf(own))}, which plugin ${present.by} has added already`;
      throw reconcileErrors.TAP_RENDER_DUPLICATE({ message });
    }
    if (this.#members.size >= objectsMax) {
      throw reconcileErrors.TAP_RENDER_TOO_MANY({
        message: `plugin ${by} adds object ${objectsMax + 1}, at most ${objectsMax} may be rendered`,
      });
    }
    return this.#with((members) => members.set(key, { object: own, by }));
  }

  remove(object: Frozen): RenderSet {
    const { key } = this.#find(object);
    return this.#with((members) => void members.delete(key));
  }

  change<T extends KubernetesObject>(object: Immutable<T>, edit: (draft: T) => void): RenderSet {
    const { key, member } = this.#find(object);
    const edited = change<KubernetesObject>(member.object, edit as (draft: KubernetesObject) => void);
    if (edited === member.object) return this;
    const by = this.#options.actor();
    const own = ownCopy(edited as KubernetesObject, by);
    if (refKey(refOf(own)) !== key) {
      const message = `plugin ${by} changes ${refText(refOf(member.object))} into ${refText(refOf(own))}`;
      throw reconcileErrors.TAP_RENDER_INVALID({ message });
    }
    return this.#with((members) => members.set(key, { object: own, by: member.by }));
  }

  changePodTemplates(edit: (draft: PodTemplate, owner: Frozen) => void): RenderSet {
    const edited = (set: RenderSet, { object }: Member): RenderSet =>
      set.change(object, (draft) => {
        for (const template of podTemplatesIn(draft, podTemplateDepthMax)) edit(template, object);
      });
    return [...this.#members.values()].reduce(edited, this);
  }

  #find(object: Frozen): { key: string; member: Member } {
    const ref = refOf(object);
    const key = refKey(ref);
    const member = this.#members.get(key);
    if (member) return { key, member };
    throw reconcileErrors.TAP_RENDER_ABSENT({ message: `plugin ${this.#options.actor()} names ${refText(ref)}, which is not in the set` });
  }

  #with(edit: (members: Map<string, Member>) => unknown): RenderSet {
    const members = new Map(this.#members);
    edit(members);
    return new ObjectSet(members, new Set([...this.#plugins, this.#options.actor()]), this.#options);
  }
}

/** Makes an independent copy as plain JSON, without undefined and null. */
function ownCopy(object: KubernetesObject, by: string): Frozen {
  let copy: KubernetesObject;
  try {
    copy = JSON.parse(JSON.stringify(object, withoutNulls)) as KubernetesObject;
  } catch (cause) {
    throw reconcileErrors.TAP_RENDER_INVALID({ message: `plugin ${by} renders something that is not JSON`, cause });
  }
  const { apiVersion, kind, metadata } = copy ?? {};
  if (isName(apiVersion) && isName(kind) && isName(metadata?.name)) return freezeDeep(copy);
  const found = JSON.stringify({ apiVersion, kind, name: metadata?.name });
  const message = `plugin ${by} renders an object without apiVersion, kind or name: ${found}`;
  throw reconcileErrors.TAP_RENDER_INVALID({ message });
}

function withoutNulls(this: unknown, _key: string, value: unknown): unknown {
  return value === null && !Array.isArray(this) ? undefined : value;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Yields pod templates, known by containers in their spec: a Pod itself, or a template at any depth in known and unknown kinds. */
function* podTemplatesIn(node: unknown, depth: number): Generator<PodTemplate> {
  if (typeof node !== 'object' || node === null || depth < 0) return;
  const { spec } = node as { spec?: { containers?: unknown } };
  if (typeof spec === 'object' && spec !== null && Array.isArray(spec.containers)) {
    yield node;
    return;
  }
  for (const part of Object.values(node)) yield* podTemplatesIn(part, depth - 1);
}
