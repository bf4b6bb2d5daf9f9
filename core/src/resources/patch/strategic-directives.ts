import { isDraftObject } from './draft.js';

/** Keys of a patch that control how to merge. */
export const directive = { patch: '$patch', retainKeys: '$retainKeys' } as const;
export const orderPrefix = '$setElementOrder/';
export const deletePrefix = '$deleteFromPrimitiveList/';

const isDirective = (key: string): boolean =>
  key === directive.patch || key === directive.retainKeys || key.startsWith(orderPrefix) || key.startsWith(deletePrefix);

/** Returns the value that a patch creates where nothing exists, without nulls and directives; undefined for a delete directive. */
export function materialise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(materialise).filter((item) => item !== undefined);
  if (!isDraftObject(value)) return value;
  if (value[directive.patch] === 'delete') return undefined;
  const members = Object.entries(value)
    .filter(([key, member]) => !isDirective(key) && member !== null)
    .map(([key, member]) => [key, materialise(member)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== undefined));
}
