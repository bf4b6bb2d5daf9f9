import type { OperationDefinitionNode } from 'graphql';

const nameCharactersMax = 128;

/** Annotates audit events with the type and name of the operation and the SHA-256 of its document: the path is the same for all. */
export function noteOperation(annotations: Map<string, string>, { name, operation }: OperationDefinitionNode, hash: string): void {
  annotations.set('graphql.operation', `${operation} ${name?.value.slice(0, nameCharactersMax) ?? ''}`.trim());
  annotations.set('graphql.hash', hash);
}
