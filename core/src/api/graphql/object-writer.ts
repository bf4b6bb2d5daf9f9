import { isTapError } from '@tappaas/sdk';
import type { EngineError, ServedKind, Target, Write, WriteOptions, WriteResult } from '../../ports/engine.js';
import type { AccessOutcome } from './audit-entry.js';
import type { GraphqlContext } from './context.js';
import { pathOf, type ObjectBody } from './object-reader.js';

/** An error that the author of the input can correct. */
export interface UserError {
  readonly field?: string;
  readonly code: string;
  readonly reason?: string;
  readonly message: string;
}

/** The result of a write. */
export interface Written {
  readonly object?: object;
  readonly isDryRun: boolean;
  readonly warnings: readonly string[];
  readonly userErrors: readonly UserError[];
}

/** The input of a mutation, with all fields but metadata in `content`. */
interface WriteRequest {
  readonly namespace?: string;
  readonly name?: string;
  readonly generateName?: string;
  readonly labels?: unknown;
  readonly annotations?: unknown;
  readonly content?: Readonly<Record<string, unknown>>;
  readonly dryRun?: boolean;
  readonly expectedVersion?: string | null;
  readonly fieldManager?: string | null;
  readonly idempotencyKey?: string | null;
  readonly force?: boolean;
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan';
  readonly gracePeriodSeconds?: number;
}

/** Statuses of errors that the author of the input can correct; all others are errors of the operation. */
const correctable: ReadonlySet<number> = new Set([400, 404, 409, 412, 422]);
const causesMax = 100;
const accessVerbs = { create: 'create', update: 'patch', apply: 'patch', delete: 'delete' } as const;

/** Writes what `read` makes of the input, as the caller and with the checks of REST. @throws errors that its author cannot correct */
export async function writeObject(
  verb: keyof typeof accessVerbs,
  kind: ServedKind,
  input: Pick<WriteRequest, 'dryRun'>,
  read: () => WriteRequest,
  context: GraphqlContext,
): Promise<Written> {
  const isDryRun = input.dryRun === true;
  try {
    const request = read();
    const target = targetOf(verb, kind, request);
    const write = writeOf(verb, kind, target, request);
    const requested = {
      verb: accessVerbs[verb],
      target,
      isDryRun,
      ...(request.name !== undefined && { name: request.name }),
      ...('body' in write && { body: write.body }),
    };
    const doWrite = () => context.parts.engine().write(write, optionsOf(verb, target, request, context));
    const { served, warnings } = await context.access.change(requested, doWrite, outcomeOf);
    return { object: served.object, isDryRun, warnings, userErrors: [] };
  } catch (error) {
    return { isDryRun, warnings: [], userErrors: userErrorsOf(error) };
  }
}

function outcomeOf({ outcome, served }: WriteResult): AccessOutcome {
  const { metadata } = served.object as ObjectBody;
  return { status: outcome === 'created' ? 201 : 200, subject: metadata, body: () => served.bytes };
}

/** Converts an error into user errors. @throws the error itself when the author of the input cannot correct it */
export function userErrorsOf(error: unknown): readonly UserError[] {
  if (!isTapError(error) || !(correctable.has(error.spec.httpStatus) || error.code === 'TAP_OBJECT_DENIED')) throw error;
  const { code, message, field, causes = [] } = error as EngineError;
  const causeText = causes
    .slice(0, causesMax)
    .map((cause) => ({ code, reason: cause.reason, message: cause.message, ...inputField(cause.field) }));
  return causeText.length > 0 ? causeText : [{ code, message, ...(field === undefined ? conditionOf(code) : inputField(field)) }];
}

/** Returns the input field behind a failed condition, which REST takes from headers and which is no field of the object. */
function conditionOf(code: string): { readonly field?: string } {
  if (code === 'TAP_OBJECT_PRECONDITION') return { field: 'expectedVersion' };
  if (code === 'TAP_REQUEST_KEY_REUSED' || code === 'TAP_REQUEST_RUNNING') return { field: 'idempotencyKey' };
  return {};
}

/** Maps a path in the object to the input, which has the writable metadata at the top level and calls resourceVersion `expectedVersion`. */
function inputField(path: string | undefined): { readonly field?: string } {
  if (path === undefined) return {};
  if (path === 'metadata.resourceVersion') return { field: 'expectedVersion' };
  return { field: path.replace(/^metadata\.(?=(?:namespace|name|generateName|labels|annotations)(?:$|[.[]))/, '') };
}

function targetOf(verb: string, kind: ServedKind, { namespace, name }: WriteRequest): Target {
  return {
    kind: pathOf(kind),
    ...(kind.scope === 'Namespaced' && namespace !== undefined && { namespace }),
    ...(verb !== 'create' && name !== undefined && { name }),
  };
}

function writeOf(verb: keyof typeof accessVerbs, kind: ServedKind, target: Target, request: WriteRequest): Write {
  if (verb === 'delete') return { verb, target, options: deleteOptions(request) };
  const body = Buffer.from(JSON.stringify(verb === 'update' ? changesOf(request) : objectOf(kind, request)));
  if (verb === 'create') return { verb, target, body, mediaType: 'json' };
  return { verb: 'patch', target, body, patchType: verb === 'apply' ? 'apply' : 'merge', force: request.force === true };
}

function deleteOptions({ expectedVersion, propagation, gracePeriodSeconds }: WriteRequest): Extract<Write, { verb: 'delete' }>['options'] {
  return {
    ...(propagation && { propagationPolicy: propagation }),
    ...(typeof gracePeriodSeconds === 'number' && { gracePeriodSeconds }),
    ...(typeof expectedVersion === 'string' && { preconditions: { resourceVersion: expectedVersion } }),
  };
}

function objectOf(
  { group, version, kind, scope }: ServedKind,
  { namespace, name, generateName, labels, annotations, content }: WriteRequest,
): object {
  const metadata = { name, generateName, labels, annotations, ...(scope === 'Namespaced' && { namespace }) };
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata, ...withoutNulls(content ?? {}) };
}

function changesOf({ labels, annotations, content }: WriteRequest): object {
  return { ...content, ...((labels !== undefined || annotations !== undefined) && { metadata: { labels, annotations } }) };
}

/** Removes nulls: in a whole object, null means that the field is absent; in changes, that it is deleted. */
function withoutNulls(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(kept.map(([name, each]) => [name, isPlain(each) ? withoutNulls(each) : each]));
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optionsOf(verb: string, target: Target, request: WriteRequest, context: GraphqlContext): WriteOptions {
  const { caller, requestId, signal, client } = context;
  const { dryRun, expectedVersion, fieldManager, idempotencyKey } = request;
  return {
    caller,
    requestId,
    signal,
    dryRun: dryRun === true,
    fieldValidation: 'Strict',
    fieldManager: fieldManager || client,
    authorizeCreate: async () => void (await context.access.permit({ verb: 'create', target })),
    authorizeOwners: async () => void (await context.access.permit({ verb: 'delete', target })),
    authorizeGet: async (made) => void (await context.access.permit({ verb: 'get', target: made })),
    weigh: (keys) => context.weigh(keys),
    ...(typeof expectedVersion === 'string' && verb !== 'delete' && { ifMatch: expectedVersion }),
    ...(typeof idempotencyKey === 'string' && { idempotencyKey }),
  };
}
