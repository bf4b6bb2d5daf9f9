import { stringify } from 'yaml';
import type { ListPage, Served, ServedKind } from '../../ports/engine.js';
import type { TableFor } from '../contributions.js';
import type { Representation } from '../request/media-type.js';

/** Shapes that a client can request objects in, besides their own. */
export const objectShapes = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] as const;

/** What a Table contains of each object besides its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** How an answer shows objects. */
export interface View {
  readonly kind: ServedKind;
  readonly representation: Representation;
  readonly includeObject: IncludeObject;
  readonly tableFor: TableFor;
}

interface Described {
  readonly metadata?: unknown;
}

export function mediaTypeFor({ representation }: View): string {
  const shape = representation.as === undefined ? '' : `;as=${representation.as};g=meta.k8s.io;v=v1`;
  return representation.encoding === 'yaml' ? 'application/yaml' : `application/json${shape}`;
}

/** Returns the bytes of one object: those serialized once per change, unless another shape is requested. */
export function viewObject(view: View, served: Served): Uint8Array {
  const { as, encoding } = view.representation;
  if (as === undefined && encoding === 'json') return served.bytes;
  return encoded(view, shapeOf(view, served));
}

/** Returns one object in the requested shape. */
export function shapeOf(view: View, served: Served): object {
  const { as } = view.representation;
  if (as === 'Table') return tableOf(view, [served], { resourceVersion: served.resourceVersion });
  return as === undefined ? served.object : partialOf(served.object);
}

/** Returns the bytes of a page in the requested shape. */
export function viewList(view: View, page: ListPage): Uint8Array {
  const { as } = view.representation;
  const metadata = listMetadata(page);
  if (as === 'Table') return encoded(view, tableOf(view, page.items, metadata));
  if (as !== undefined) {
    const items = page.items.map(({ object }) => partialOf(object));
    return encoded(view, { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items });
  }
  const head = { kind: `${view.kind.kind}List`, apiVersion: apiVersionOf(view.kind), metadata };
  return encoded(view, { ...head, items: page.items.map(({ object }) => object) });
}

/** Returns the JSON of a list up to its first item. */
export function listHead(kind: ServedKind, page: ListPage): Uint8Array {
  const head = JSON.stringify({ kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata: listMetadata(page) });
  return Buffer.from(`${head.slice(0, -1)},"items":[`);
}

/** Returns the JSON of a list from its first item on. */
export function listItems(items: ListPage['items']): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { bytes } of items) parts.push(bytes, comma);
  parts.pop();
  parts.push(tail);
  return Buffer.concat(parts);
}

function listMetadata({ resourceVersion, continueToken, remainingItemCount }: ListPage): object {
  return {
    resourceVersion,
    ...(continueToken !== undefined && { continue: continueToken }),
    ...(remainingItemCount !== undefined && { remainingItemCount }),
  };
}

export function apiVersionOf({ group, version }: Pick<ServedKind, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

const tail = Buffer.from(']}');
const comma = Buffer.from(',');

function tableOf(view: View, items: readonly Served[], metadata: object): object {
  const { columnDefinitions, rows } = view.tableFor(
    view.kind,
    items.map(({ object }) => object),
  );
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions,
    rows: rows.map((cells, index) => ({ cells, ...included(view.includeObject, items[index]?.object) })),
  };
}

function included(include: IncludeObject, object: object | undefined): object {
  if (object === undefined || include === 'None') return {};
  return { object: include === 'Object' ? object : partialOf(object) };
}

function partialOf(object: Described): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

function encoded({ representation }: View, value: object): Uint8Array {
  return Buffer.from(representation.encoding === 'yaml' ? stringify(value) : JSON.stringify(value));
}
