import { isTapError, type Secret } from '@tappaas/sdk';
import { pathText, placeOf, type ConfigNode } from '../config/node.js';
import type { Problem } from '../problem.js';
import type { Plan } from './plan.js';

/**
 * Reports secrets of the plan that cannot be read in this environment, as notes, because a configuration may be checked where its secrets
 * are not available. Values of secrets are never shown.
 */
export function unreadableSecrets({ instances, sections }: Pick<Plan, 'instances' | 'sections'>, root: ConfigNode): readonly Problem[] {
  return [
    ...unreadableIn(sections, [], root),
    ...instances.flatMap(({ id, config }) => unreadableIn(config, ['plugins', id, 'config'], root)),
  ];
}

function unreadableIn(value: unknown, path: readonly (string | number)[], root: ConfigNode): readonly Problem[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((part, index) => unreadableIn(part, [...path, index], root));
  if (!isSecret(value)) return Object.entries(value).flatMap(([key, part]) => unreadableIn(part, [...path, key], root));
  try {
    value.bytes();
    return [];
  } catch (error) {
    if (!isTapError(error)) throw error;
    const { code, message, spec } = error;
    const at = placeOf(root, ...path.map(String));
    return [{ code, severity: 'note', path: pathText(path), message, remedy: spec.remedy, ...(at !== undefined && { at }) }];
  }
}

const isSecret = (value: object): value is Secret => '~secret' in value;
