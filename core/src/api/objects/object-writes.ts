import { sendBytes, sendJson } from '../answer/answer.js';
import { noteDryRun, noteSubject } from '../audit-trail.js';
import { permit } from '../authorization.js';
import { authorizeDeletes } from './collection-deletion.js';
import { authorizeOwners } from './owner-permission.js';
import type { Target, Write, WriteResult } from '../../ports/engine.js';
import { apiErrors } from '../errors.js';
import { deleteOptions, refuseObjectConditions } from '../request/delete-options.js';
import type { Exchange } from '../request/exchange.js';
import { mediaTypeOf } from '../request/media-type.js';
import { viewOf, type ObjectCall } from './object-reads.js';
import { mediaTypeFor, viewObject } from '../answer/object-view.js';
import { flagParameter, textParameter } from '../request/query-parameters.js';
import { readDocument, readEngineBody, readKnownBody } from '../request/small-document.js';
import { successStatus } from '../answer/status.js';
import { warnWith } from '../answer/warnings.js';
import { weigh } from '../weight.js';
import { selectorParameters } from '../request/list-parameters.js';
import { patchTypeOf, writeOptions } from '../request/write-parameters.js';

const warningsMax = 20;

/** Answers a write; the engine gets the body unparsed and decodes it strictly. */
export async function writeObject(call: ObjectCall): Promise<void> {
  const { exchange, engine, kind } = call;
  const view = viewOf(call);
  const options = {
    ...writeOptions(exchange, kind),
    authorizeCreate: async () => void (await permit(call.authorize, { ...exchange.info, verb: 'create' }, exchange.caller)),
    authorizeOwners: () => authorizeOwners(call.authorize, exchange),
    authorizeGet: async (target: Target) => void (await permit(call.authorize, { ...exchange.info, verb: 'get', target }, exchange.caller)),
    authorizeDeletes: (targets: readonly Target[]) => authorizeDeletes(call.authorize, exchange, targets),
    weigh: weighOnce(exchange),
  };
  const requested = await writeOf(call);
  const dryRun = options.dryRun || requested.dryRun;
  noteDryRun(exchange, dryRun);
  const result = await engine.write(requested.write, { ...options, dryRun });
  for (const warning of result.warnings.slice(0, warningsMax)) warnWith(exchange, warning);
  noteSubject(exchange, result.served.object);
  if (result.outcome === 'deleted') {
    sendJson(exchange, 200, successStatus(exchange.info, uidOf(result)));
    return;
  }
  const tag = `"${result.served.resourceVersion}"`;
  const status = result.outcome === 'created' ? 201 : 200;
  sendBytes(exchange, status, mediaTypeFor(view), viewObject(view, result.served), [
    'ETag',
    view.representation.as === undefined ? tag : `W/${tag}`,
    ...(result.operation ? ['Location', pathOf(result.operation)] : []),
  ]);
}

/** Reports the keys of a write once, not again when a conflict makes the engine repeat it. */
function weighOnce(exchange: Exchange): (keys: number) => Promise<void> | undefined {
  let isWeighed = false;
  return (keys) => {
    if (isWeighed) return undefined;
    isWeighed = true;
    // A small patch of a large object is more work than its body suggests.
    return weigh(exchange, { keys: Math.max(0, keys - exchange.keys) });
  };
}

/** Returns the path of an object in the platform's engine. */
function pathOf({ kind: { group, version, plural }, namespace, name = '' }: Target): string {
  const place = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/apis/${group}/${version}${place}/${plural}/${encodeURIComponent(name)}`;
}

async function writeOf({ exchange, kind, target }: ObjectCall): Promise<{ readonly write: Write; readonly dryRun: boolean }> {
  const { verb } = exchange.info;
  const { query } = exchange;
  if (verb === 'create' || verb === 'update') {
    return { write: { verb, target, ...(await readEngineBody(exchange)) }, dryRun: false };
  }
  if (verb === 'patch') {
    const patchType = patchTypeOf(mediaTypeOf(exchange.header('content-type')), kind);
    const force = flagParameter(query, 'force');
    if (patchType === 'apply') requireManager(query);
    else if (force) throw apiErrors.TAP_REQUEST_PARAMETER_INVALID({ message: 'query parameter force: only an apply can be forced' });
    return { write: { verb, target, body: await readKnownBody(exchange), patchType, force }, dryRun: false };
  }
  const { dryRun, ...options } = deleteOptions(exchange, await readDocument(exchange));
  if (verb === 'delete') return { write: { verb, target, options }, dryRun };
  refuseObjectConditions(exchange, options);
  return { write: { verb: 'deletecollection', target, options, ...selectorParameters(query) }, dryRun };
}

function requireManager(query: URLSearchParams): void {
  if (textParameter(query, 'fieldManager')) return;
  throw apiErrors.TAP_REQUEST_PARAMETER_INVALID({ message: 'query parameter fieldManager: an apply needs the name of its field manager' });
}

function uidOf({ served }: WriteResult): string | undefined {
  const { metadata } = served.object as { readonly metadata?: { readonly uid?: string } };
  return metadata?.uid;
}
