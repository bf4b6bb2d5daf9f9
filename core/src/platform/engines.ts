import {
  administratorsGroup,
  type Caller,
  type Clock,
  families,
  type Logger,
  platformEngine,
  platformNamespace,
  type Resources,
  type ResourceStore,
} from '@tappaas/sdk';
import { accessRules } from '../access/access-rules.js';
import { createAccessReviews } from '../access/access-reviews.js';
import type { Authenticate } from '../api/stages.js';
import type { Admission } from '../ports/admission.js';
import { createIdentityReviews } from '../identity/identity-reviews.js';
import { createWorkQueue } from '../queue/work-queue.js';
import type { Kernel, Registrations } from '../kernel/kernel.js';
import type { Narrowing } from '../ports/access.js';
import type { Access, ClientOptions } from '../resources/client.js';
import { createResourceEngine, type ResourceEngine } from '../resources/engine.js';
import type { KindRegistration } from '../resources/kind-entry.js';
import { kernelKinds, reviewKinds, type ReviewHandlers } from '../resources/kinds/kernel-kinds.js';
import type { Sealer } from '../resources/stored-object.js';
import { openWatchCache } from '../store/watch-cache.js';
import { ClaimRebuilds } from './claim-rebuilds.js';
import { keyBackoff } from './back-off.js';
import { confidentialityOf } from './sealing/confidentiality.js';
import { engineKinds, platformKinds, withActions } from './kind-registrations.js';
import { platformErrors } from './errors.js';
import type { PluginControllerParts } from './controllers/plugin-controller.js';
import type { PlatformAccess } from './access/platform-access.js';
import { enginePlaces } from './access/places.js';
import { checkRights } from './access/plugin-rights.js';
import { turnOf } from './controllers/queue-turns.js';
import { asRequested } from './access/question.js';
import { tenancyAdmission } from './access/tenancy-admission.js';

/** Maximum size in bytes of stored values in the history, per kind; in memory it is about five times as much (docs/decisions/0005). */
const historyBytesMax = 2 * 1024 * 1024;
/** Lets watches resume where they were after a restart of the process that serves them. */
const pastRevisionsMax = 1_000;
const administrators = [administratorsGroup];
const firstNamespaces: Readonly<Record<string, readonly string[]>> = { [platformEngine]: ['default', 'kube-system', platformNamespace] };
const clusterNamespaces = ['default', 'kube-system'];

export interface EnginesOptions {
  readonly kernel: Kernel;
  readonly store: ResourceStore;
  readonly admission: Admission;
  readonly sealer: Sealer;
  readonly authenticate: Authenticate;
  readonly access: PlatformAccess;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Kinds that the platform's engine serves until a plugin contributes them. Default: none. */
  readonly furtherKinds?: () => readonly KindRegistration[];
  /** Creates the queues of the garbage collectors. Default: queues that return keys as soon as they are ready. */
  readonly createQueue?: PluginControllerParts['createQueue'];
}

/** The platform's engine and those of plugins: they share a store and admission, and their kinds follow the kernel's generations. */
export class Engines {
  readonly #options: EnginesOptions;
  readonly #engines = new Map<string, ResourceEngine>();
  readonly #stopping = new AbortController();
  #collecting: readonly Promise<void>[] = [];
  #rebuilds: ClaimRebuilds | undefined;

  constructor(options: EnginesOptions) {
    this.#options = options;
  }

  get all(): ReadonlyMap<string, ResourceEngine> {
    return this.#engines;
  }

  /** @throws RangeError for a name that is not registered */
  of(name: string): ResourceEngine {
    const engine = this.#engines.get(name);
    if (engine) return engine;
    throw new RangeError(`there is no engine ${name}; there is: ${[...this.#engines.keys()].join(', ')}`);
  }

  /** Makes the engines and reads the store. */
  async start(): Promise<void> {
    for (const [name, kinds] of this.#kindsByEngine(this.#options.kernel.registrations())) this.#engines.set(name, this.#make(name, kinds));
    await Promise.all([...this.#engines.values()].map((engine) => engine.start(this.#stopping.signal)));
  }

  /** Starts garbage collection and the rebuilding of claims; must run on one replica only. */
  collectGarbage(): void {
    const { log, clock, random, kernel } = this.#options;
    this.#rebuilds = new ClaimRebuilds({ engines: () => this.#engines.values(), log, signal: this.#stopping.signal });
    this.#rebuilds.follow(kernel.registrations());
    const { createQueue = (_, options) => createWorkQueue<string>(options) } = this.#options;
    const places = enginePlaces((name) => this.#engines.get(name));
    this.#collecting = [...this.#engines.values()].map((engine) =>
      engine.collectGarbage({
        createQueue: ({ onRoom, namespaceOf }) => {
          const tenantOf = (key: string): string => turnOf(places, engine.name, namespaceOf(key));
          return createQueue(`garbage of ${engine.name}`, { clock, random, backoff: keyBackoff, tenantOf, onRoom });
        },
        signal: this.#stopping.signal,
        onError: (error) => log.warn('garbage was not collected', { engine: engine.name, error }),
      }),
    );
  }

  /** Applies the kinds of another generation. Engines of removed plugins stay until the next start, read-only. */
  async follow(registrations: Registrations): Promise<void> {
    for (const [name, kinds] of this.#kindsByEngine(registrations)) {
      const known = this.#engines.get(name);
      if (known) await known.setKinds(kinds, this.#stopping.signal);
      else {
        const engine = this.#make(name, kinds);
        await engine.start(this.#stopping.signal);
        this.#engines.set(name, engine);
      }
    }
    this.#rebuilds?.follow(registrations);
  }

  /** Rebuilds the claims of all objects in the background, because other processes may have written under the previous configuration. */
  rebuildClaims(): void {
    this.#rebuilds?.begin();
  }

  /** Returns resources with the rights of a plugin: full access to its own engines, and on the platform's what its manifest declares. */
  asPlugin(instance: string, engine: string): Resources {
    const { kernel } = this.#options;
    const owns = kernel.registrations().engines.some(({ plugin, value }) => plugin === instance && value.name === engine);
    const authorize = owns ? () => undefined : (access: Access) => checkRights(kernel.plugin(instance), access);
    return this.#client(
      engine,
      { name: `system:plugin:${instance}`, groups: administrators },
      instance,
      authorize,
      this.#stopping.signal,
      owns || confidentialityOf(kernel).isVisibleTo(instance),
    );
  }

  /** Returns resources with exactly the rights of a caller. */
  asCaller(engine: string, caller: Caller, requestId: string, signal: AbortSignal): Resources {
    const authorize = async ({ verb, group, version, plural, subresource, namespace, name }: Access): Promise<Narrowing | undefined> => {
      const resource = {
        group,
        version,
        plural,
        ...(subresource ? { subresource } : {}),
        ...(namespace ? { namespace } : {}),
        ...(name ? { name } : {}),
      };
      const { decision, reason, narrowed } = await this.#options.access.authorize({
        caller,
        engine,
        verb,
        resource,
        canNarrow: verb === 'list',
      });
      if (decision !== 'allow')
        throw platformErrors.TAP_ACCESS_DENIED({
          message: `${caller.name} may not ${verb} ${plural}${reason === '' ? '' : `: ${reason}`}`,
        });
      return narrowed;
    };
    return this.#client(engine, caller, 'tappaas-api', authorize, signal, true, requestId);
  }

  /** Returns resources with the rights of the platform itself. */
  asPlatform(engine: string): Resources {
    return this.#client(
      engine,
      { name: 'system:tappaas', groups: administrators },
      'tappaas',
      () => undefined,
      this.#stopping.signal,
      true,
    );
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#collecting, this.#rebuilds?.idle()]);
    await Promise.all([...this.#engines.values()].map((engine) => engine.close()));
  }

  #kindsByEngine(registrations: Registrations): ReadonlyMap<string, readonly KindRegistration[]> {
    const own = [...withActions(kernelKinds(this.#reviews(platformEngine)), registrations), ...platformKinds(registrations)];
    const isServed = ({ kind: { group, kind } }: KindRegistration) =>
      own.some((each) => each.kind.group === group && each.kind.kind === kind);
    const further = (this.#options.furtherKinds?.() ?? []).filter((each) => !isServed(each));
    return new Map([
      [platformEngine, [...own, ...further]],
      ...registrations.engines.map((registered) => {
        const { name } = registered.value;
        return [name, [...engineKinds(registered), ...reviewKinds(this.#reviews(name))]] as const;
      }),
    ]);
  }

  #make(name: string, kinds: readonly KindRegistration[]): ResourceEngine {
    const { kernel, store, clock, random, access, sealer, log } = this.#options;
    const inner = this.#options.admission;
    const admission = name === platformEngine ? tenancyAdmission(inner, access) : inner;
    return createResourceEngine({
      name,
      store,
      openWatchCache: (options) => openWatchCache({ ...options, historyBytesMax, pastRevisionsMax }),
      clock,
      random,
      kinds,
      admission,
      sealer,
      firstNamespaces: firstNamespaces[name] ?? clusterNamespaces,
      onProblem(kind, error) {
        // The store has stopped because the start failed, the reason of which is reported elsewhere.
        if (kernel.services.family(families.store).size === 0) return;
        log.warn('a watch cache had to be rebuilt', { engine: name, kind, error });
      },
    });
  }

  #client(
    engine: string,
    caller: Caller,
    fieldManager: string,
    authorize: ClientOptions['authorize'],
    signal: AbortSignal,
    showsSecrets: boolean,
    requestId = fieldManager,
  ): Resources {
    return this.of(engine).client({ caller, fieldManager, requestId, signal, authorize, showsSecrets });
  }

  #reviews(engine: string): ReviewHandlers {
    const { access, authenticate, kernel, log } = this.#options;
    const sources = { access, authorizers: access.authorizers, engine };
    const served = { kernel, engine: (name: string) => this.#engines.get(name) };
    const reviews = createAccessReviews({
      engine,
      authorize: (question) => access.authorize(asRequested(question, served)),
      placed: access.placed,
      isOfCluster: ({ group, plural }) =>
        this.of(engine)
          .kinds()
          .some((kind) => kind.group === group && kind.plural === plural && kind.scope === 'Cluster'),
      rules: (caller, namespace) => accessRules(sources, caller, namespace),
    });
    return { ...reviews, ...createIdentityReviews((credentials) => authenticate(credentials), log) };
  }
}
