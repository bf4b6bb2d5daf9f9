import { platformEngine } from '@tappaas/sdk';
import type { Call, ServedAction, ServedField, ServedRoute, ServedSubresource } from '../../api/contributions.js';
import { apiErrors } from '../../api/errors.js';
import type { ServedUpgrade } from '../../api/upgrade/upgrade.js';
import type { Registrations } from '../../kernel/kernel.js';
import { conversationsOf } from './conversations.js';
import { pathOf } from '../kind-path.js';
import { requestContext, withFields, type ContributionParts } from './request-context.js';
import { servedActions } from './served-actions.js';

/** Everything that plugins add to the API besides kinds, called through their guards. */
export interface Contributions {
  readonly routes: readonly ServedRoute[];
  readonly actions: readonly ServedAction[];
  readonly subresources: readonly ServedSubresource[];
  readonly fields: readonly ServedField[];
  readonly upgrades: readonly ServedUpgrade[];
}

export function contributionsOf(parts: ContributionParts): Contributions {
  const { registrations } = parts;
  return {
    routes: registrations.routes.map((registered) => servedRoute(registered, parts)),
    actions: servedActions(parts),
    subresources: subresourcesOf(parts),
    fields: fieldsOf(parts),
    upgrades: conversationsOf(parts),
  };
}

function servedRoute({ plugin, guard, value }: Registrations['routes'][number], parts: ContributionParts): ServedRoute {
  const { method, path, bodyBytesMax, auth, isWellKnown = false, beginAgainAt } = value;
  return {
    instance: plugin,
    method,
    path,
    bodyBytesMax,
    auth,
    isWellKnown,
    ...(beginAgainAt !== undefined && { beginAgainAt }),
    handle: (request, call) =>
      guard.call(
        { name: 'http' },
        (context) => {
          const { caller, requestId } = call;
          if (value.auth === 'self') return value.handle(request, withFields(context, { requestId }));
          if (caller === undefined)
            throw apiErrors.TAP_REQUEST_UNAUTHENTICATED({ message: `${method} ${path} of ${plugin} is for known callers` });
          return value.handle(request, requestContext(context, parts, platformEngine, { ...call, caller }));
        },
        { signal: call.signal },
      ),
  };
}

const fieldMsMax = 1_000;

function fieldsOf(parts: ContributionParts): readonly ServedField[] {
  return parts.registrations.fields.map(({ guard, value }) => ({
    group: value.on.group,
    kind: value.on.kind,
    name: value.name,
    description: value.description,
    args: value.args,
    type: value.type,
    costPerObject: value.costPerObject,
    resolve: (objects, args, call) =>
      guard.call(
        { name: `field.${value.name}`, limitMs: fieldMsMax, breaker: true },
        (context) => value.resolve(objects, args, requestContext(context, parts, platformEngine, call)),
        { signal: call.signal },
      ),
  }));
}

function subresourcesOf(parts: ContributionParts): readonly ServedSubresource[] {
  return parts.registrations.engines.flatMap(({ guard, value: engine }) =>
    (engine.subresources ?? []).map((subresource) => {
      const { group, plural } = pathOf(parts.engine(engine.name), subresource.kind);
      return {
        engine: engine.name,
        group,
        plural,
        name: subresource.name,
        method: subresource.method,
        handle: (request: Parameters<ServedSubresource['handle']>[0], call: Call) =>
          guard.call(
            { name: `subresource.${plural}/${subresource.name}` },
            (context) => subresource.handle(request, requestContext(context, parts, engine.name, call)),
            { signal: call.signal },
          ),
      };
    }),
  );
}
