import type { ServedKind } from '../../ports/engine.js';
import type { GraphqlContext } from './context.js';
import { pathOf, type ObjectBody } from './object-reader.js';

/** Maximum wait. A controller starts the operation of a write in its first run, within milliseconds (docs/decisions/0004). */
const waitMsMax = 2_000;
const operationsMax = 1_000;

interface OperationBody extends ObjectBody {
  readonly spec: { readonly target: { readonly generation?: number } };
}

/** Returns the operation that works on the object's present generation; undefined when none starts in time. */
export async function operationOf({ metadata }: ObjectBody, kind: ServedKind, context: GraphqlContext): Promise<ObjectBody | undefined> {
  const { namespace, uid, generation } = metadata;
  const isMeant = (object: object): boolean => (object as OperationBody).spec.target.generation === generation;
  const fields = `spec.target.uid=${uid}`;
  const page = await context.reader.list(kind, { fields, first: operationsMax, ...(namespace !== undefined && { namespace }) });
  const found = page.items.find(({ object }) => isMeant(object));
  if (found !== undefined) return found.object as ObjectBody;
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  void context.parts.clock.sleep(Math.min(waitMsMax, context.remainingMs() / 2), signal).then(
    () => over.abort(),
    // Aborted: the operation has started, or the request has ended.
    () => {},
  );
  try {
    const events = context.parts.engine().watch({
      target: { kind: pathOf(kind), ...(namespace !== undefined && { namespace }) },
      fieldSelector: fields,
      resourceVersion: page.resourceVersion,
      bookmarks: false,
      signal,
    });
    for await (const batch of events) {
      const begun = batch.find(({ type, served }) => type !== 'BOOKMARK' && type !== 'DELETED' && isMeant(served.object));
      if (begun !== undefined) return begun.served.object as ObjectBody;
    }
    return undefined;
  } finally {
    over.abort();
  }
}
