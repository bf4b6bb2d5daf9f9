import type { Devices } from './back-off.js';
import type { Http } from './http.js';
import { watchPath } from './watch.js';

/** The result of following one object. */
export interface Followed<T> {
  /** Whether `enough` returned true before the time was over. */
  readonly reached: boolean;
  readonly object: T | undefined;
}

/**
 * Follows one object until `enough` returns true or the time is over; `enough` is called with the present object, or undefined, and after
 * each change.
 */
export async function untilObject<T>(
  http: Http,
  { collection, name, timeoutMs }: { readonly collection: string; readonly name: string; readonly timeoutMs: number },
  enough: (object: T | undefined) => boolean,
  devices: Devices,
): Promise<Followed<T>> {
  let object: T | undefined;
  const over = new AbortController();
  const timer = new AbortController();
  devices.sleep(timeoutMs, timer.signal).then(
    () => over.abort(),
    () => {},
  );
  try {
    for await (const event of watchPath<T>(http, collection, { fields: `metadata.name=${name}`, signal: over.signal }, devices)) {
      if (event.type === 'DELETED') object = undefined;
      else if (event.type !== 'SYNCED') object = event.object;
      if (enough(object)) return { reached: true, object };
    }
    return { reached: false, object };
  } finally {
    timer.abort();
    over.abort();
  }
}
