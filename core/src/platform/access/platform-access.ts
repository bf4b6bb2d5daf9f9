import { type Authorizer, families } from '@tappaas/sdk';
import { createAccess, type Access } from '../../access/access.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { ResourceEngine } from '../../resources/engine.js';
import { enginePlaces } from './places.js';

/** The access stage with the authorizers of plugins. */
export interface PlatformAccess extends Access {
  readonly authorizers: () => readonly Authorizer[];
}

/** Makes the platform's access stage; until an engine has started, its namespaces have no owner. */
export function platformAccess(
  kernel: Pick<Kernel, 'services' | 'plugins' | 'onGeneration'>,
  engine: (name: string) => ResourceEngine | undefined,
): PlatformAccess {
  const provided = kernel.services.family(families.authorizer);
  const authorizers = handlesOf(provided);
  const expectedNow = (): readonly string[] =>
    kernel
      .plugins()
      .filter(isExpected)
      .map(({ id }) => id);
  let expected = expectedNow();
  kernel.onGeneration(() => void (expected = expectedNow()));
  const missing = (): readonly string[] => (expected.every((id) => provided.has(id)) ? none : expected.filter((id) => !provided.has(id)));
  return { ...createAccess({ authorizers, missing, places: enginePlaces(engine) }), authorizers };
}

const none: readonly string[] = [];

type State = ReturnType<Kernel['plugins']>[number];
const isExpected = ({ mode, provides }: State): boolean => mode !== 'off' && provides.includes(families.authorizer.id);

/** Handles follow their providers automatically; the list is rebuilt only when a provider is added or removed. */
function handlesOf(provided: ReadonlyMap<string, Authorizer>): () => readonly Authorizer[] {
  let keys: readonly string[] = [];
  let handles: readonly Authorizer[] = [];
  return () => {
    if (provided.size !== keys.length || !keys.every((key) => provided.has(key))) {
      keys = [...provided.keys()];
      handles = keys.flatMap((key) => provided.get(key) ?? []);
    }
    return handles;
  };
}
