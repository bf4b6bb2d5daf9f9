import { objectErrors, type Immutable } from '@tappaas/sdk';
import { Operation } from '@tappaas/sdk/kinds';
import type { ActionAnswer, Call, ServedAction, ServedField, ServedRoute, ServedSubresource } from '../api/contributions.js';
import type { ServedUpgrade } from '../api/upgrade.js';
import type { Registrations } from '../kernel/kernel.js';
import { createActionInput } from '../resources/action-input.js';
import { resourceErrors } from '../resources/errors.js';
import type { JsonObject } from '../resources/schema/json-value.js';
import { conversationsOf } from './conversations.js';
import type { EngineObject } from './engine-object.js';
import { pathOf } from './kind-path.js';
import { requestContext, withFields, type CallerCall, type ContributionParts } from './request-context.js';

/** Everything plugins add to the API beyond kinds, called through their guards. */
export interface Contributions {
  readonly routes: readonly ServedRoute[];
  readonly actions: readonly ServedAction[];
  readonly subresources: readonly ServedSubresource[];
  readonly fields: readonly ServedField[];
  readonly upgrades: readonly ServedUpgrade[];
}

const platform = 'platform';

export function contributionsOf(parts: ContributionParts): Contributions {
  const { registrations } = parts;
  return {
    routes: registrations.routes.map((registered) => servedRoute(registered, parts)),
    actions: actionsOf(parts),
    subresources: subresourcesOf(parts),
    fields: fieldsOf(parts),
    upgrades: conversationsOf(parts),
  };
}

function servedRoute({ plugin, guard, value }: Registrations['routes'][number], parts: ContributionParts): ServedRoute {
  const { method, path, bodyBytesMax, auth, isWellKnown = false } = value;
  return {
    instance: plugin,
    method,
    path,
    bodyBytesMax,
    auth,
    isWellKnown,
    handle: (request, call) =>
      guard.call(
        { name: 'http' },
        (context) => {
          const { caller, requestId } = call;
          if (value.auth === 'self' || caller === undefined) return value.handle(request, withFields(context, { requestId }) as never);
          return value.handle(request, requestContext(context, parts, platform, { ...call, caller }) as never);
        },
        { signal: call.signal },
      ),
  };
}

function actionsOf(parts: ContributionParts): readonly ServedAction[] {
  return parts.registrations.actions.map((registered) => {
    const { value } = registered;
    const { group, plural } = pathOf(parts.engine(platform), value.on);
    const read = createActionInput({ group, kind: value.on.kind, action: value.name, input: value.input });
    return {
      engine: platform,
      group,
      plural,
      name: value.name,
      description: value.description,
      input: value.input,
      output: value.output,
      handle: async ({ key, input, dryRun, expectedVersion }, call): Promise<ActionAnswer> => {
        // Who may create the subresource has been asked already, and needs no right to read beside it.
        const object = await parts.object(value.on, key);
        if (object === undefined) throw objectErrors.TAP_OBJECT_NOT_FOUND({ message: `${plural} "${key.name}" not found` });
        refuseOtherVersion(`${plural} "${key.name}"`, (object as EngineObject).metadata.resourceVersion, expectedVersion);
        const request: ActionRequest = { object: object as never, input: read(input as JsonObject, key.name) as never, dryRun };
        if (value.long === true && !dryRun) return beginLong(registered, parts, request, call);
        return { output: await callAction(registered, parts, request, call, () => undefined) };
      },
    };
  });
}

/** @throws TAP_OBJECT_PRECONDITION when the caller has another state of the object in mind */
function refuseOtherVersion(what: string, found: string | undefined, expected: string | undefined): void {
  if (expected === undefined || expected === found) return;
  throw resourceErrors.TAP_OBJECT_PRECONDITION({ message: `${what}: expected resourceVersion ${expected}, found ${found}` });
}

type RegisteredAction = Registrations['actions'][number];
type ActionRequest = Parameters<RegisteredAction['value']['handle']>[0];

function callAction(
  { guard, value }: RegisteredAction,
  parts: ContributionParts,
  request: ActionRequest,
  call: CallerCall,
  progress: (step: string, percent: number) => void,
): Promise<object> {
  return guard.call(
    { name: `action.${value.name}` },
    (context) => value.handle(request, requestContext(context, parts, platform, call, { progress }) as never),
    { signal: call.signal },
  );
}

/** The action goes on after the answer, with the caller's rights and the operation's signal. */
async function beginLong(
  registered: RegisteredAction,
  parts: ContributionParts,
  request: ActionRequest,
  { caller, requestId }: Call,
): Promise<ActionAnswer> {
  const { value } = registered;
  const operation = await parts.longActions.begin({
    verb: value.name,
    on: value.on,
    target: request.object as unknown as Immutable<EngineObject>,
    caller,
    requestId,
    run: (run) =>
      callAction(registered, parts, request, { caller, requestId, signal: run.signal }, (step, percent) => run.progress(step, percent)),
  });
  const { namespace, name } = operation.metadata;
  const { group, version } = Operation;
  const { plural } = pathOf(parts.engine(platform), Operation);
  return {
    output: operation,
    operation: `/apis/${group}/${version}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`,
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
        (context) => value.resolve(objects as never, args as never, requestContext(context, parts, platform, call) as never),
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
            (context) => subresource.handle(request, requestContext(context, parts, engine.name, call) as never),
            { signal: call.signal },
          ),
      };
    }),
  );
}
