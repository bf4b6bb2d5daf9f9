import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { graphqlErrors } from './errors.js';

const hashForm = /^[0-9a-f]{64}$/;

/** Returns the hash of a document: SHA-256 of its text in hexadecimal. */
export function documentHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Reads a file of trusted documents, as generators write it: `{ "<hash>": "<document>" }`. @throws TAP_GRAPHQL_DOCUMENTS_UNREADABLE */
export async function readTrustedDocuments(path: string): Promise<ReadonlyMap<string, string>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new TypeError('expected an object');
    for (const [hash, text] of Object.entries(parsed)) {
      if (!hashForm.test(hash) || typeof text !== 'string') throw new TypeError(`entry ${hash}: expected a SHA-256 hash and a document`);
    }
    return new Map(Object.entries(parsed as Readonly<Record<string, string>>));
  } catch (cause) {
    const message = `api.graphqlDocuments: ${path} cannot be read: ${cause instanceof Error ? cause.message : 'unknown'}`;
    throw graphqlErrors.TAP_GRAPHQL_DOCUMENTS_UNREADABLE({ message, field: 'api.graphqlDocuments', cause });
  }
}

/** The fields of a request that identify its document, not yet validated. */
export interface RequestedDocument {
  readonly query?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
}

/**
 * Returns the document text of a request: its own, or that of the trusted document that it names by hash. Where documents are restricted,
 * its own text must equal a trusted one exactly, by hash or by text.
 *
 * @throws TAP_GRAPHQL_DOCUMENT_UNKNOWN, TAP_GRAPHQL_REQUEST_INVALID
 */
export function documentText(
  requested: RequestedDocument,
  trusted: ReadonlyMap<string, string> | undefined,
  texts: ReadonlySet<string>,
): unknown {
  const hash = hashOf(requested);
  if (trusted === undefined) return ownText(requested);
  const text = hash === undefined ? requested.query : trusted.get(hash);
  if (typeof text === 'string' && (hash !== undefined || texts.has(text) || trusted.has(documentHash(text)))) return text;
  throw graphqlErrors.TAP_GRAPHQL_DOCUMENT_UNKNOWN({
    message: `the document${hash === undefined ? '' : ` ${hash}`} is none of those that are allowed here`,
  });
}

/** Where every document is accepted, a request brings its own text. A hash of Apollo's clients is answered in their own words, upon which they send the text. */
function ownText(requested: RequestedDocument): unknown {
  const { query, documentId } = requested;
  const hasText = query !== undefined && query !== null && query !== '';
  if (hasText || persistedHash(requested) !== undefined) return query;
  const found = documentId === undefined ? 'none' : 'documentId alone, and no documents are kept here (api.graphqlDocuments)';
  throw graphqlErrors.TAP_GRAPHQL_REQUEST_INVALID({ message: `query: expected the text of a document, found ${found}`, field: 'query' });
}

function hashOf(requested: RequestedDocument): string | undefined {
  const { documentId } = requested;
  return typeof documentId === 'string' ? documentId.replace(/^sha256:/, '') : persistedHash(requested);
}

function persistedHash({ extensions }: RequestedDocument): string | undefined {
  const persisted = (extensions as { readonly persistedQuery?: { readonly sha256Hash?: unknown } } | undefined)?.persistedQuery?.sha256Hash;
  return typeof persisted === 'string' ? persisted : undefined;
}
