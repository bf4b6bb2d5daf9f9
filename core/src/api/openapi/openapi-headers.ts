/** A header in OpenAPI: a component that answers and operations reference. */
interface Header {
  readonly description: string;
  readonly schema: object;
}

const text = (description: string, more: object = {}): Header => ({ description, schema: { type: 'string', ...more } });

/** Headers of answers. */
export const answerHeaders = {
  ETag: text('Version of the object, in quotes: for If-Match and If-None-Match.'),
  Location: text('Path of the Operation that goes on after the answer.', { format: 'uri-reference' }),
  Warning: text('Code 299 and what should be known though nothing is wrong; may come several times.'),
  Deprecation: text('Since when this version is deprecated: @ and seconds since 1970.'),
  Sunset: text('When this version goes, as an HTTP date.'),
  RateLimit: text('What is left, of the tenant and of the user: r requests, t seconds until all are there again.'),
  'RateLimit-Policy': text('What is allowed, of the tenant and of the user: q requests at once, refilled in w seconds.'),
  'Retry-After': { description: 'Seconds to wait before the request is sent again.', schema: { type: 'integer', minimum: 1 } },
  'WWW-Authenticate': text('How to say who one is: Bearer.'),
  'Sec-WebSocket-Protocol': text('The subprotocol that was chosen.'),
  'X-Request-Id': text('The name of the request in the log and in audit.'),
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
  IfMatch: sent('If-Match', 'The ETag that the object must have, or * for any; else 412.', {
    pattern: String.raw`^(\*|(W/)?"[0-9]{1,20}")$`,
  }),
  IfNoneMatch: sent('If-None-Match', 'ETags that the client knows: 304 without a body while the object has one of them.'),
  IfAbsent: sent('If-None-Match', '* refuses with 412 when the object is there.', { enum: ['*'] }),
  IdempotencyKey: sent(
    'Idempotency-Key',
    'What is sent again with its key is done once, and answered as the first time; with another body 422.',
    {
      minLength: 1,
      maxLength: 255,
      pattern: '^[ -~]+$',
    },
  ),
} as const;
