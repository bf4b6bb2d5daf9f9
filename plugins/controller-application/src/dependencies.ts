import type { Immutable, Key, ReconcileContext } from '@tappaas/sdk';
import { Application, type ApplicationObject } from '@tappaas/sdk/kinds';
import { addressesOf, addressIn, addressInput } from './addresses.js';

type Owner = Immutable<ApplicationObject>;

/** What an application waits for. `isFinal`: no change of another application can resolve it. */
export interface Wait {
  readonly reason: string;
  readonly message: string;
  readonly isFinal: boolean;
}

/** Maximum number of applications visited in the search for a cycle. */
const circleMax = 100;

/** Entries checked per call: more than are added, so that entries of deleted applications are eventually removed. */
const lookedAtPerNote = 2;

/** The applications that depend on each application of a namespace, so that its changes wake them. */
export class Dependents {
  /** In the order of the last note or check, oldest first. */
  readonly #needs = new Map<string, ReadonlySet<string>>();
  readonly #dependents = new Map<string, Set<string>>();

  note(application: Owner, names: ReadonlySet<string>): void {
    const key = textOf(application.metadata);
    this.#forget(application.metadata);
    if (names.size === 0) return;
    this.#needs.set(key, names);
    for (const name of names) {
      const needed = textOf({ ...application.metadata, name });
      this.#dependents.set(needed, (this.#dependents.get(needed) ?? new Set()).add(key));
    }
  }

  /** Keys of the applications that depend on an application. */
  of(application: Owner): readonly Key[] {
    return [...(this.#dependents.get(textOf(application.metadata)) ?? [])].map(keyOf);
  }

  /** Removes entries of deleted applications. An application without a release has no finalizer, so its deletion is not reported. */
  async forgetDeleted(isThere: (key: Key) => Promise<boolean>): Promise<void> {
    for (const [text, names] of this.#needs.entries().take(lookedAtPerNote).toArray()) {
      const key = keyOf(text);
      const stays = await isThere(key);
      // Noted again meanwhile, so the application exists.
      if (this.#needs.get(text) !== names) continue;
      if (!stays) this.#forget(key);
      else if (this.#needs.delete(text)) this.#needs.set(text, names);
    }
  }

  #forget(key: Key): void {
    const text = textOf(key);
    for (const name of this.#needs.get(text) ?? []) this.#leave(textOf({ ...key, name }), text);
    this.#needs.delete(text);
  }

  #leave(needed: string, key: string): void {
    const dependents = this.#dependents.get(needed);
    dependents?.delete(key);
    if (dependents?.size === 0) this.#dependents.delete(needed);
  }
}

const textOf = ({ namespace = '', name }: Key): string => `${namespace}/${name}`;

function keyOf(text: string): Key {
  const [namespace = '', name = ''] = text.split('/');
  return { namespace, name };
}

/**
 * Determines the addresses of other applications, or what the application waits for. It waits for other applications to be ready only
 * before its first release. Changes of the `further` applications wake it too.
 */
export async function settleDependencies(
  application: Owner,
  context: ReconcileContext<typeof Application>,
  dependents: Dependents,
  further: readonly string[] = [],
): Promise<{ readonly inputs: Readonly<Record<string, string>> } | { readonly wait: Wait }> {
  const { metadata, spec, status } = application;
  const { name: own, namespace } = metadata;
  const references = addressesOf(application);
  const needed = new Set([...references.map(({ name }) => name), ...(spec.dependencies ?? []).map(({ name }) => name)]);
  needed.delete(own);
  dependents.note(application, new Set([...needed, ...further]));
  await dependents.forgetDeleted(async (key) => (await context.asPlugin.get(Application, key)) !== undefined);
  const found = new Map([[own, application]]);
  for (const name of needed) {
    const other = await context.asPlugin.get(Application, { namespace, name });
    if (other === undefined || other.metadata.deletionTimestamp !== undefined) return { wait: missing(name, namespace) };
    found.set(name, other);
  }
  const inputs: Record<string, string> = {};
  for (const reference of references) {
    const address = addressIn(found.get(reference.name) ?? application, reference);
    if ('problem' in address)
      return {
        wait: { reason: 'DependencyPortMissing', message: `${address.problem}; it goes on by itself once there is one`, isFinal: false },
      };
    inputs[addressInput(reference)] = address.value;
  }
  const unready = readyFirst(application).find((name) => !isReady(found.get(name)));
  if (unready === undefined || status?.release !== undefined) return { inputs };
  return { wait: (await circleThrough(application, context)) ?? notReady(unready, found.get(unready)) };
}

const readyFirst = ({ spec }: Owner): readonly string[] =>
  (spec.dependencies ?? []).filter(({ ready }) => ready === true).map(({ name }) => name);

const readyOf = (application: Owner | undefined) => application?.status?.conditions?.find(({ type }) => type === 'Ready');
const isReady = (application: Owner | undefined): boolean => readyOf(application)?.status === 'True';

/**
 * A cycle from an application back to itself, over applications that must be ready first and have never served; or that there are too many
 * to search.
 */
async function circleThrough(application: Owner, { asPlugin }: ReconcileContext<typeof Application>): Promise<Wait | undefined> {
  const { namespace, name: own } = application.metadata;
  const ways: (readonly string[])[] = readyFirst(application).map((name) => [own, name]);
  const seen = new Set<string>();
  // The loop also visits ways that are added meanwhile.
  for (const way of ways) {
    const name = way.at(-1) ?? '';
    if (name === own) return inCircle(way);
    if (seen.has(name)) continue;
    if (seen.size === circleMax) return tooMany;
    seen.add(name);
    const other = await asPlugin.get(Application, { namespace, name });
    if (other === undefined || other.status?.release !== undefined) continue;
    for (const next of readyFirst(other)) ways.push([...way, next]);
  }
  return undefined;
}

function missing(name: string, namespace: string): Wait {
  const message = `it needs application ${name}, which namespace ${namespace} does not have; deploy it, and this goes on by itself`;
  return { reason: 'DependencyMissing', message, isFinal: false };
}

/**
 * Names only the other application's reason, not its message, which may quote that of a third one: in a cycle messages would grow forever.
 */
function notReady(name: string, application: Owner | undefined): Wait {
  const why = readyOf(application)?.reason ?? 'it has not begun';
  const message = `it waits until application ${name} is ready, and then goes on by itself; ${name}: ${why}`;
  return { reason: 'DependencyNotReady', message, isFinal: false };
}

function inCircle(circle: readonly string[]): Wait {
  const message = `these wait for each other to be ready first: ${circle.join(' → ')}; take "ready: true" from one of the dependencies`;
  return { reason: 'DependencyCycle', message, isFinal: true };
}

const tooMany: Wait = {
  reason: 'DependenciesTooMany',
  message: `more than ${circleMax} applications wait for each other to be ready first; take "ready: true" from some of the dependencies`,
  isFinal: true,
};
