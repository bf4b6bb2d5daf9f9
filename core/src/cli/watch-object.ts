import type { ApiClient } from './api-client.js';

/** What a watch ended with. */
export interface Watched<T> {
  readonly reached: boolean;
  readonly object: T | undefined;
}

interface WatchLine<T> {
  readonly type: string;
  readonly object: T;
}

/**
 * Follows one object until `enough` says so or the time is over; sees every change, also one that happens between two connections,
 * because each connection begins with the object as it is.
 */
export async function watchObject<T extends object>(
  client: ApiClient,
  collection: string,
  name: string,
  waitMsMax: number,
  enough: (object: T | undefined) => boolean,
): Promise<Watched<T>> {
  const deadline = AbortSignal.timeout(waitMsMax);
  let object: T | undefined;
  while (!deadline.aborted) {
    object = await client.json<T>(`${collection}/${encodeURIComponent(name)}`, { signal: deadline });
    if (enough(object)) return { reached: true, object };
    const version = (object as { metadata?: { resourceVersion?: string } } | undefined)?.metadata?.resourceVersion ?? '';
    const query = `watch=true&fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}&resourceVersion=${encodeURIComponent(version)}`;
    const connection = new AbortController();
    try {
      for await (const line of client.lines(`${collection}?${query}`, AbortSignal.any([deadline, connection.signal]))) {
        const event = JSON.parse(line) as WatchLine<T>;
        if (event.type === 'ERROR') break;
        if (event.type === 'BOOKMARK') continue;
        object = event.type === 'DELETED' ? undefined : event.object;
        if (enough(object)) return { reached: true, object };
      }
    } catch (error) {
      if (!deadline.aborted) throw error;
    } finally {
      connection.abort();
    }
  }
  return { reached: false, object };
}
