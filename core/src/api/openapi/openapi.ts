import { Operation } from '@tappaas/sdk/kinds';
import { groupVersionsOf, storedDocument, type StoredDocument } from './discovery.js';
import type { EnginePort, ServedKind } from '../../ports/engine.js';
import { listSchema, listSchemaName } from './openapi-schemas.js';
import { pathsOf } from './openapi-paths.js';
import { SharedComponents } from './shared-components.js';

/** The OpenAPI v3 documents of one engine: an index with hashes, and a document per group and version. */
export interface OpenApi {
  index(): StoredDocument;
  /** Returns the document of `api/v1` or `apis/{group}/{version}`. */
  document(name: string): StoredDocument | undefined;
}

interface Documents {
  readonly index: StoredDocument;
  readonly named: ReadonlyMap<string, StoredDocument>;
}

/** Serves the documents of an engine. They are made on the first request after the kinds have changed, because few clients request them. */
export function createOpenApi(engine: EnginePort, mount: string, version: string): OpenApi {
  let source: readonly ServedKind[] | undefined;
  let documents: Documents | undefined;
  const current = (): Documents => {
    const kinds = engine.kinds();
    if (documents === undefined || kinds !== source) {
      documents = documentsOf(kinds, mount, version);
      source = kinds;
    }
    return documents;
  };
  return { index: () => current().index, document: (name) => current().named.get(name) };
}

function documentsOf(kinds: readonly ServedKind[], mount: string, version: string): Documents {
  const named = new Map<string, StoredDocument>();
  const operations = kinds.find(({ group, kind }) => group === Operation.group && kind === Operation.kind);
  for (const { group, versions } of groupVersionsOf(kinds)) {
    for (const [each, served] of versions) {
      const name = group === '' ? `api/${each}` : `apis/${group}/${each}`;
      named.set(name, storedDocument(groupDocument(`/${name}`, { kinds: served, operations }, version)));
    }
  }
  const paths = [...named].map(([name, { tag }]) => [name, { serverRelativeURL: `${mount}/openapi/v3/${name}?hash=${tag.slice(1, -1)}` }]);
  return { index: storedDocument({ paths: Object.fromEntries(paths) }), named };
}

interface DescribedGroup {
  readonly kinds: readonly ServedKind[];
  readonly operations: ServedKind | undefined;
}

function groupDocument(prefix: string, { kinds, operations }: DescribedGroup, version: string): object {
  const shared = new SharedComponents(kinds.some(({ deprecated }) => deprecated !== undefined));
  for (const kind of kinds) {
    shared.schema(kind.schemaName, kind.components());
    if (kind.verbs.includes('list')) shared.own(listSchemaName(kind), listSchema(kind), kind.components());
  }
  const paths = Object.assign({}, ...kinds.map((kind) => pathsOf(prefix, { kind, operations, shared }))) as object;
  return {
    openapi: '3.0.0',
    info: { title: 'TAPPaaS', version },
    paths,
    components: {
      ...shared.all(paths),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'An API token.' } },
    },
    security: [{ bearer: [] }],
  };
}
