import { BackOff } from './back-off.js';
import { GraphQlError } from './errors.js';
import { textOf, type TypedDocument } from './graphql-document.js';
import { converse, type SubscriptionParts } from './subscription-connection.js';
import { SubscriptionPlace, type SubscriptionResume } from './subscription-place.js';

/** Options of a subscription. */
export interface SubscribeOptions {
  /** Ends the subscription when it aborts. */
  readonly signal: AbortSignal;
  /**
   * After a broken connection, `since` continues behind the last event: for that, the document passes a variable `$since` to its field and
   * selects `type` and `resourceVersion`, or `cursor` of `applicationLogs`. `anew` begins again, and may deliver events again; `never` ends
   * with an error. Default: `since` if the document has such a variable, otherwise `never`.
   */
  readonly resume?: SubscriptionResume;
}

/** Follows a subscription until it ends or the signal aborts. @throws GraphQlError, ApiError, ResumeError, UnreachableError */
export async function* subscribe<R>(
  parts: SubscriptionParts,
  document: string | TypedDocument,
  given: object,
  { signal, resume }: SubscribeOptions,
): AsyncGenerator<R> {
  const query = await textOf(document);
  const place = new SubscriptionPlace(query, given as Readonly<Record<string, unknown>>, resume);
  const backOff = new BackOff(parts.devices);
  const alive = (): void => backOff.reset();
  while (!signal.aborted) {
    let retryAfterMs: number | undefined;
    try {
      for await (const { data, errors = [] } of converse(parts, { query, variables: place.variables }, signal, alive)) {
        if (errors.length > 0 || data === undefined || data === null) throw new GraphQlError(errors, data);
        backOff.reset();
        place.delivered(data);
        yield data as R;
      }
      if (!place.isEndless) return;
    } catch (error) {
      if (signal.aborted) return;
      retryAfterMs = place.afterBreak(error);
    }
    await backOff.wait(signal, retryAfterMs).catch(() => {});
  }
}
