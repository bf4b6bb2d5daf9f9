/** A header in OpenAPI: a component that answers and operations reference. */
interface Header {
  readonly description: string;
  readonly schema: object;
}

const text = (description: string, more: object = {}): Header => ({ description, schema: { type: 'string', ...more } });

/** Headers of answers. */
export const answerHeaders = {
  ETag: text('Version of the object, in quotes: for If-Match and If-None-Match.'),
  Location: text('Path of the Operation that continues after the response.', { format: 'uri-reference' }),
  Warning: text('Code 299 and a warning about a request that succeeded; may occur several times.'),
  Deprecation: text('Since when this version is deprecated: @ and seconds since 1970.'),
  Sunset: text('When this version is removed, as an HTTP date.'),
  RateLimit: text('Remaining quota of the tenant and of the user: r requests, t seconds until it is full again.'),
  'RateLimit-Policy': text('Rate limits of the tenant and of the user: q requests in a burst, refilled in w seconds.'),
  'Retry-After': { description: 'Seconds to wait before retrying the request.', schema: { type: 'integer', minimum: 1 } },
  'WWW-Authenticate': text('Authentication scheme: Bearer.'),
  'Sec-WebSocket-Protocol': text('The selected subprotocol.'),
  'X-Request-Id': text('Id of the request in the log and the audit log.'),
} as const satisfies Readonly<Record<string, Header>>;

export type AnswerHeader = keyof typeof answerHeaders;

const sent = (name: string, description: string, schema: object = {}): object => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string', ...schema },
});

/** Headers of requests, by the name of their component. */
export const sentHeaders = {
  IfMatch: sent('If-Match', 'ETag that the object must have, or * for any; otherwise 412.', {
    pattern: String.raw`^(\*|(W/)?"[0-9]{1,20}")$`,
  }),
  IfNoneMatch: sent('If-None-Match', 'ETags that the client has: 304 without a body if the object still has one of them.'),
  IfAbsent: sent('If-None-Match', '* refuses the write with 412 if the object exists.', { enum: ['*'] }),
  IdempotencyKey: sent(
    'Idempotency-Key',
    'A request repeated with the same key runs once and gets the first response again; another body gets 422.',
    {
      minLength: 1,
      maxLength: 255,
      pattern: '^[ -~]+$',
    },
  ),
} as const;
