import { resolve } from 'node:path';
import type { GraphqlSettings } from '../api/graphql/ports.js';
import { readTrustedDocuments } from '../api/graphql/trusted-documents.js';
import type { ApiSettings } from './settings.js';

/** Returns the operator's GraphQL settings. @throws TAP_GRAPHQL_DOCUMENTS_UNREADABLE */
export async function graphqlSettings(
  { graphqlIntrospection, graphqlDocuments }: ApiSettings,
  directory: string,
): Promise<GraphqlSettings> {
  const documents = graphqlDocuments === '' ? undefined : await readTrustedDocuments(resolve(directory, graphqlDocuments));
  return { introspection: graphqlIntrospection, ...(documents !== undefined && { documents }) };
}
