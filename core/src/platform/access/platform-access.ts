import { type Authorizer, families } from '@tappaas/sdk';
import { createAccess, type Access } from '../../access/access.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { ResourceEngine } from '../../resources/engine.js';
import { enginePlaces } from './places.js';

/** The access stage with what plugins provide, and who of them is asked. */
export interface PlatformAccess extends Access {
  readonly authorizers: () => readonly Authorizer[];
}

/** Access as the platform has it; until an engine has started, no namespace of it belongs to anybody. */
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

/** Handles follow their providers by themselves; the list is made anew only when somebody comes or goes. */
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
