import { stringify } from 'yaml';
import type { ListPage, Served, ServedKind } from './engine-port.js';
import type { TableFor } from './contributions.js';
import type { JoinedLists } from './joined-lists.js';
import type { Representation } from './media-type.js';

/** The shapes in which objects can be asked for, besides their own. */
export const objectShapes = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] as const;

/** What a Table carries of each object besides its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** How the objects of one answer are shown. */
export interface View {
  readonly kind: ServedKind;
  readonly representation: Representation;
  readonly includeObject: IncludeObject;
  readonly tableFor: TableFor;
  readonly joined: JoinedLists;
}

interface Described {
  readonly metadata?: unknown;
}

export function mediaTypeFor({ representation }: View): string {
  const shape = representation.as === undefined ? '' : `;as=${representation.as};g=meta.k8s.io;v=v1`;
  return representation.encoding === 'yaml' ? 'application/yaml' : `application/json${shape}`;
}

/** The bytes of one object; those that were serialised once per change, unless another shape is wanted. */
export function viewObject(view: View, served: Served): Uint8Array {
  const { as, encoding } = view.representation;
  if (as === undefined && encoding === 'json') return served.bytes;
  return encoded(view, shapeOf(view, served));
}

/** One object in the wanted shape. */
export function shapeOf(view: View, served: Served): object {
  const { as } = view.representation;
  if (as === 'Table') return tableOf(view, [served], { resourceVersion: served.resourceVersion });
  return as === undefined ? served.object : partialOf(served.object);
}

/** The bytes of a page in pieces; put together from the objects' own. */
export function viewList(view: View, page: ListPage): readonly Uint8Array[] {
  const { as, encoding } = view.representation;
  const metadata = {
    resourceVersion: page.resourceVersion,
    ...(page.continueToken !== undefined && { continue: page.continueToken }),
    ...(page.remainingItemCount !== undefined && { remainingItemCount: page.remainingItemCount }),
  };
  if (as === 'Table') return [encoded(view, tableOf(view, page.items, metadata))];
  if (as !== undefined) {
    const items = page.items.map(({ object }) => partialOf(object));
    return [encoded(view, { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items })];
  }
  const head = { kind: `${view.kind.kind}List`, apiVersion: apiVersionOf(view.kind), metadata };
  if (encoding === 'yaml') return [encoded(view, { ...head, items: page.items.map(({ object }) => object) })];
  return [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`), view.joined.of(page.items), tail];
}

export function apiVersionOf({ group, version }: Pick<ServedKind, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

const tail = Buffer.from(']}');

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
