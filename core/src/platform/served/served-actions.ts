import { type Immutable, objectErrors, platformEngine } from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import type { ActionAnswer, Call, ServedAction } from '../../api/contributions.js';
import { apiErrors } from '../../api/errors.js';
import type { Registrations } from '../../kernel/kernel.js';
import { createActionInput } from '../../resources/action-input.js';
import { resourceErrors } from '../../resources/errors.js';
import { wellFormedKey } from '../../resources/idempotency-key.js';
import type { JsonObject } from '../../resources/schema/json-value.js';
import type { EngineObject } from '../engine-object.js';
import { pathOf } from '../kind-path.js';
import { operationKey, type KeyedRequest, type OperationKey } from '../operations/operation-key.js';
import { requestContext, type CallerCall, type ContributionParts } from './request-context.js';

/** Returns the actions of plugins, called through their guards. */
export function servedActions(parts: ContributionParts): readonly ServedAction[] {
  return parts.registrations.actions.map((registered) => {
    const { value } = registered;
    const { group, plural } = pathOf(parts.engine(platformEngine), value.on);
    const read = createActionInput({ group, kind: value.on.kind, action: value.name, input: value.input });
    return {
      engine: platformEngine,
      group,
      plural,
      name: value.name,
      description: value.description,
      input: value.input,
      output: value.output,
      isLong: value.long === true,
      handle: async ({ key, input, dryRun, expectedVersion, idempotencyKey }, call): Promise<ActionAnswer> => {
        const once = onceOf(value, { target: key, input }, idempotencyKey, call);
        // A repeated request is answered without further checks, since the action may have changed the object.
        const known = once === undefined || dryRun ? undefined : await parts.longActions.begun(value.name, key, once);
        if (known !== undefined) return answerOf(known, parts);
        // Permission to create the subresource has been checked, and no permission to read is needed.
        const object = await parts.object(value.on, key);
        if (object === undefined) throw objectErrors.TAP_OBJECT_NOT_FOUND({ message: `${plural} "${key.name}" not found` });
        refuseOtherVersion(`${plural} "${key.name}"`, (object as EngineObject).metadata.resourceVersion, expectedVersion);
        const request: ActionRequest = { object, input: read(input as JsonObject, key.name), dryRun };
        if (value.long === true && !dryRun) return beginLong(registered, parts, request, call, once);
        return { output: await callAction(registered, parts, request, call, () => undefined) };
      },
    };
  });
}

/** @throws TAP_REQUEST_HEADER_INVALID, TAP_REQUEST_INVALID */
function onceOf(
  { name, on, long }: RegisteredAction['value'],
  keyed: Pick<KeyedRequest, 'target' | 'input'>,
  idempotencyKey: string | undefined,
  { caller }: Call,
): OperationKey | undefined {
  if (idempotencyKey === undefined) return undefined;
  if (long === true) return operationKey({ idempotencyKey: wellFormedKey(idempotencyKey), caller, verb: name, on, ...keyed });
  // The response may contain a secret and is not stored; and the action is not in one transaction with a record of it.
  const message = `header Idempotency-Key: ${name} of ${on.kind} is answered at once, and its answer is not kept to be repeated`;
  throw apiErrors.TAP_REQUEST_HEADER_INVALID({ message });
}

/** @throws TAP_OBJECT_PRECONDITION when the caller expects another version of the object */
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
    (context) => value.handle(request, requestContext(context, parts, platformEngine, call, { progress })),
    { signal: call.signal },
  );
}

/** Begins an action that continues after the response, with the caller's rights and the operation's signal. */
async function beginLong(
  registered: RegisteredAction,
  parts: ContributionParts,
  request: ActionRequest,
  { caller, requestId }: Call,
  once: OperationKey | undefined,
): Promise<ActionAnswer> {
  const { value } = registered;
  const operation = await parts.longActions.begin({
    verb: value.name,
    on: value.on,
    target: request.object as Immutable<EngineObject>,
    caller,
    requestId,
    ...(once !== undefined && { once }),
    run: (run) =>
      callAction(registered, parts, request, { caller, requestId, signal: run.signal }, (step, percent) => run.progress(step, percent)),
  });
  return answerOf(operation, parts);
}

function answerOf(operation: Immutable<OperationObject>, parts: ContributionParts): ActionAnswer {
  const { namespace, name } = operation.metadata;
  const { group, version } = Operation;
  const { plural } = pathOf(parts.engine(platformEngine), Operation);
  return {
    output: operation,
    operation: `/apis/${group}/${version}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`,
  };
}
