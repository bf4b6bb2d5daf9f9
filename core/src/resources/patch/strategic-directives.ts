import { isDraftObject } from './draft.js';

/** Keys of a patch that say how to merge instead of what. */
export const directive = { patch: '$patch', retainKeys: '$retainKeys' } as const;
export const orderPrefix = '$setElementOrder/';
export const deletePrefix = '$deleteFromPrimitiveList/';

const isDirective = (key: string): boolean =>
  key === directive.patch || key === directive.retainKeys || key.startsWith(orderPrefix) || key.startsWith(deletePrefix);

/** What a patch's value becomes where there was nothing to merge it with: no nulls, no directives; nothing at all if it says delete. */
export function materialise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(materialise).filter((item) => item !== undefined);
  if (!isDraftObject(value)) return value;
  if (value[directive.patch] === 'delete') return undefined;
  const members = Object.entries(value)
    .filter(([key, member]) => !isDirective(key) && member !== null)
    .map(([key, member]) => [key, materialise(member)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== undefined));
}
