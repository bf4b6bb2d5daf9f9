import type { AccessRequest } from '@tappaas/sdk';
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { groupsOf } from './schema.js';

/** Whether a policy's head (action and resource type) matches a request; its conditions are left to Cedar. */
export type Head = (request: Pick<AccessRequest, 'verb' | 'resource'>) => boolean;

/** Reads a policy's actions and resource type. */
export function headOf({ action, resource }: PolicyJson): Head {
  const actions = action.op === 'All' ? undefined : new Set(idsIn(action));
  const sort = resource.op === 'is' ? resource.entity_type : undefined;
  return (request) => {
    if (actions !== undefined && !actions.has(request.verb) && !groupsOf(request.verb).some((group) => actions.has(group))) return false;
    return sort === undefined || sort === (request.resource === undefined ? 'Path' : 'Object');
  };
}

type Entity = { readonly id: string } | { readonly __entity: { readonly id: string } };

function idsIn(action: object): readonly string[] {
  const { entity, entities = [] } = action as { readonly entity?: Entity; readonly entities?: readonly Entity[] };
  const all = entity === undefined ? entities : [entity, ...entities];
  return all.map((each) => ('__entity' in each ? each.__entity.id : each.id));
}
