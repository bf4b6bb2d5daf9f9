import type { ServedRoute } from '../api/contributions.js';
import { formatProblem, type Kernel } from '../kernel/kernel.js';
import type { Scheduler } from '../schedule/scheduler.js';
import { platformEngine, type Engines } from './engines.js';
import type { Installation } from './installation.js';
import type { PlatformAccess } from './platform-access.js';
import { whoCan } from './who-can.js';

export interface PlatformRouteParts {
  readonly kernel: Kernel;
  readonly engines: Engines;
  readonly access: PlatformAccess;
  readonly installation: Installation;
  readonly schedulers: () => readonly Scheduler[];
}

/** What the platform itself answers below `/plugins/platform`: reload, explain, confirm. */
export function platformRoutes(parts: PlatformRouteParts): readonly ServedRoute[] {
  return [
    route('POST', '/reload', async () => {
      const { problems, ...result } = await parts.kernel.reload();
      return json(200, {
        ...result,
        problems: problems.map((problem) => `${formatProblem(problem)}${problem.remedy ? `\n    ${problem.remedy}` : ''}`),
      });
    }),
    route('POST', '/confirm', async () => {
      await parts.installation.confirm();
      return json(200, { confirmed: true });
    }),
    route('GET', '/explain', async ({ query }) => explain(parts, query)),
    route('GET', '/who-can', async ({ query }, { caller }) => whoCan(parts.access, query, caller)),
  ];
}

const instance = 'platform';

function route(method: 'GET' | 'POST', path: `/${string}`, handle: ServedRoute['handle']): ServedRoute {
  return { instance, method, path, bodyBytesMax: 0, auth: 'caller', handle };
}

const decisionsMax = 1_000;

/** Which plugin changed which field of an object on its way into the store, and where its pods went. */
function explain({ engines, schedulers }: PlatformRouteParts, query: Readonly<Record<string, string>>): ReturnType<ServedRoute['handle']> {
  const { kind: asked = '', name = '', namespace = '' } = query;
  const engine = engines.of(platformEngine);
  const word = asked.toLowerCase();
  const kind = engine
    .kinds()
    .find((served) => [served.kind.toLowerCase(), served.plural, served.singular, ...served.shortNames].includes(word));
  if (kind === undefined) return Promise.resolve(json(404, { message: `no kind is called "${asked}"` }));
  const path = { group: kind.group, version: kind.version, plural: kind.plural };
  const changes = engine.attribution({ kind: path, name, ...(kind.scope === 'Namespaced' ? { namespace } : {}) });
  const placements = schedulers()
    .flatMap((scheduler) => scheduler.decisions(decisionsMax))
    .filter(({ pod }) => pod.name.startsWith(`${name}-`))
    .map(({ pod, outcome, chosen, message, refused }) => ({
      pod: `${pod.namespace}/${pod.name}`,
      outcome,
      ...(chosen ? { node: chosen.node } : {}),
      message:
        message ??
        (chosen
          ? `best of ${chosen.parts.map(({ plugin, points }) => `${plugin} ${points}`).join(', ') || 'equals'}`
          : refused.map((refusal) => refusal.message).join('; ')),
    }));
  return Promise.resolve(json(200, { object: `${kind.kind} ${namespace ? `${namespace}/` : ''}${name}`, changes, placements }));
}

function json(status: number, value: object): Awaited<ReturnType<ServedRoute['handle']>> {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
