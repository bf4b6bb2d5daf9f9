import { type AccessRequest, platformEngine } from '@tappaas/sdk';
import type { EnginePort } from '../../ports/engine.js';
import { pathForAccess } from '../../api/plugin-routes.js';
import type { Kernel } from '../../kernel/kernel.js';

/** The served kinds and routes that access questions refer to. */
export interface Served {
  readonly kernel: Pick<Kernel, 'registrations'>;
  readonly engine: (name: string) => Pick<EnginePort, 'kinds'> | undefined;
}

/**
 * Normalizes an access question to what a corresponding request would ask, so that reviews and `who-can` answer for what is served: a path
 * by the pattern that roles use, a kind with a served version if none is given, since kubectl gives none.
 */
export function asRequested<Q extends Pick<AccessRequest, 'engine' | 'verb' | 'path' | 'resource'>>(question: Q, served: Served): Q {
  const { engine, verb, path, resource } = question;
  return {
    ...question,
    ...(path !== undefined && { path: pathForAccess(routesOf(engine, served), verb, path) }),
    ...(resource !== undefined && { resource: versioned(resource, served.engine(engine)) }),
  };
}

function routesOf(engine: string, { kernel }: Served): Parameters<typeof pathForAccess>[0] {
  const routes = engine === platformEngine ? kernel.registrations().routes : [];
  return routes.map(({ plugin, value }) => ({ instance: plugin, ...value }));
}

type Resource = NonNullable<AccessRequest['resource']>;

function versioned(resource: Resource, engine: Pick<EnginePort, 'kinds'> | undefined): Resource {
  const { group, version, plural } = resource;
  if (version !== '' && version !== '*') return resource;
  const kind = engine?.kinds().find((each) => each.group === group && each.plural === plural);
  return { ...resource, version: kind?.version ?? '' };
}
