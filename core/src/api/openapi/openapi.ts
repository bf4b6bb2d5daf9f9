import { groupVersionsOf, storedDocument, type StoredDocument } from './discovery.js';
import type { EnginePort, ServedKind } from '../../ports/engine.js';
import { schemasOf } from './openapi-schemas.js';
import { pathsOf } from './openapi-paths.js';

/** The OpenAPI v3 documents of one engine: an index with hashes, and a document per group and version. */
export interface OpenApi {
  index(): StoredDocument;
  /** `api/v1` or `apis/{group}/{version}`. */
  document(name: string): StoredDocument | undefined;
}

interface Documents {
  readonly index: StoredDocument;
  readonly named: ReadonlyMap<string, StoredDocument>;
}

/** Makes the documents when they are first asked for after the kinds have changed: few clients ever do. */
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
  for (const { group, versions } of groupVersionsOf(kinds)) {
    for (const [each, served] of versions) {
      const name = group === '' ? `api/${each}` : `apis/${group}/${each}`;
      named.set(name, storedDocument(groupDocument(`/${name}`, served, version)));
    }
  }
  const paths = [...named].map(([name, { tag }]) => [name, { serverRelativeURL: `${mount}/openapi/v3/${name}?hash=${tag.slice(1, -1)}` }]);
  return { index: storedDocument({ paths: Object.fromEntries(paths) }), named };
}

function groupDocument(prefix: string, kinds: readonly ServedKind[], version: string): object {
  return {
    openapi: '3.0.0',
    info: { title: 'TAPPaaS', version },
    paths: Object.assign({}, ...kinds.map((kind) => pathsOf(prefix, kind))) as object,
    components: {
      schemas: schemasOf(kinds),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'An API token.' } },
    },
    security: [{ bearer: [] }],
  };
}
