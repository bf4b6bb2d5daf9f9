import type { ServedKind } from '../../ports/engine.js';
import type { AnswerHeader } from './openapi-headers.js';
import { problemSchema, reference, statusSchema, watchEventSchema } from './openapi-schemas.js';
import type { SharedComponents } from './shared-components.js';

/** Headers of all answers behind flow control. */
const usual: readonly AnswerHeader[] = ['Warning', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id'];
const deprecation: readonly AnswerHeader[] = ['Deprecation', 'Sunset'];

/** Makes an answer with its own headers and the usual ones; the deprecation headers only if the document has a deprecated version. */
function answer(shared: SharedComponents, description: string, own: readonly AnswerHeader[], content?: object): object {
  const names = [...own, ...(shared.hasDeprecated ? deprecation : []), ...usual];
  return {
    description,
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    ...(content !== undefined && { content }),
  };
}

/** Makes the content of an answer or a body, which is JSON or YAML. */
export function objectContent(schema: object): object {
  return { 'application/json': { schema }, 'application/yaml': { schema } };
}

/** Makes the answer with an object of a schema. */
export function objectAnswer(shared: SharedComponents, schema: string): object {
  return shared.response(schema, () => answer(shared, 'The object.', ['ETag'], objectContent(reference(schema))));
}

/** Makes the answer to a write of an object, which may have started an Operation. */
export function writtenAnswer(shared: SharedComponents, { schemaName, beginsOperations }: ServedKind): object {
  if (beginsOperations !== true) return objectAnswer(shared, schemaName);
  return shared.response(`${schemaName}.Written`, () =>
    answer(shared, 'The object; an Operation brings its spec into effect.', ['ETag', 'Location'], objectContent(reference(schemaName))),
  );
}

/** Makes the answer with a page of objects, or with the events of a watch. */
export function listAnswer(shared: SharedComponents, list: string): object {
  return shared.response(list, () =>
    answer(shared, 'One page of objects; with watch=true, one event per line.', [], {
      ...objectContent(reference(list)),
      'application/json;stream=watch': { schema: shared.schema(watchEventSchema) },
    }),
  );
}

/** Makes the answer to a deletion: a Status, or the object if it is not gone yet. */
export function deletedAnswer(shared: SharedComponents, schema: string): object {
  const content = objectContent({ anyOf: [shared.schema(statusSchema), reference(schema)] });
  return shared.response(`${schema}.Deleted`, () =>
    answer(shared, 'The object was deleted, or its deletion has started.', ['ETag'], content),
  );
}

/** Makes the answer of success without an object. */
export function statusAnswer(shared: SharedComponents): object {
  return shared.response('Done', () => answer(shared, 'Done.', [], objectContent(shared.schema(statusSchema))));
}

export function notModifiedAnswer(shared: SharedComponents): object {
  return shared.response('NotModified', () => answer(shared, 'The client has the current version of the object.', ['ETag']));
}

export function webSocketAnswer(shared: SharedComponents): object {
  return shared.response('SwitchingProtocols', () =>
    answer(shared, 'The connection is a WebSocket from now on.', ['Sec-WebSocket-Protocol']),
  );
}

/** Makes the answer of an action or a plugin's handler. It belongs to one operation, so it is not a shared component. */
export function ownAnswer(shared: SharedComponents, description: string, content: object, own: readonly AnswerHeader[] = []): object {
  return answer(shared, description, own, content);
}

interface Refusal {
  readonly name: string;
  readonly description: string;
  readonly headers?: readonly AnswerHeader[];
}

const refusals: Readonly<Record<number, Refusal>> = {
  400: { name: 'BadRequest', description: 'Path, parameter, header or body cannot be read.' },
  401: { name: 'Unauthorized', description: 'The request has no valid credential.', headers: ['WWW-Authenticate'] },
  403: { name: 'Forbidden', description: 'The caller is not permitted to do this, or a quota is exceeded.' },
  404: { name: 'NotFound', description: 'The object or path does not exist.' },
  406: { name: 'NotAcceptable', description: 'None of the media types in Accept is available.' },
  409: { name: 'Conflict', description: 'The object has changed, its name is taken, or a request with the same key is running.' },
  410: { name: 'Gone', description: 'The requested resource version or continue token has expired: list again.' },
  412: { name: 'PreconditionFailed', description: 'If-Match or If-None-Match does not hold.' },
  413: { name: 'TooLarge', description: 'The body, or the resulting object, is too large.' },
  415: { name: 'UnsupportedMediaType', description: 'The media type of the body is not supported.' },
  422: { name: 'Invalid', description: 'The object is invalid, or the idempotency key was used for another request.' },
  426: { name: 'UpgradeRequired', description: 'The path requires a WebSocket.' },
  429: { name: 'TooManyRequests', description: 'The caller exceeds a rate or concurrency limit.', headers: ['Retry-After'] },
  503: { name: 'Unavailable', description: 'The platform, or a part of it, is not ready or is stopping.', headers: ['Retry-After'] },
};
const failure: Refusal = { name: 'Failure', description: 'The request was refused or failed.', headers: ['Retry-After'] };

/** Makes the answers for the given error statuses, and one for all others, which have the same form. */
export function refusalAnswers(shared: SharedComponents, statuses: readonly number[]): Readonly<Record<string, object>> {
  const named = statuses.flatMap((status) => Object.entries(refusals).filter(([each]) => Number(each) === status));
  const all = [...named, ['default', failure] as const];
  return Object.fromEntries(all.map(([status, refusal]) => [status, refusalAnswer(shared, refusal)]));
}

function refusalAnswer(shared: SharedComponents, { name, description, headers = [] }: Refusal): object {
  return shared.response(name, () =>
    answer(shared, description, headers, {
      ...objectContent(shared.schema(statusSchema)),
      'application/problem+json': { schema: shared.schema(problemSchema) },
    }),
  );
}
