/** A document that knows the types of its result and its variables, as code generators write them (`TypedDocumentNode`). */
export interface TypedDocument<R = unknown, V = never> {
  readonly kind: string;
  readonly definitions: readonly unknown[];
  readonly __apiType?: (variables: V) => R;
}

/** The text of a document. Syntax trees are printed by the library graphql, which a program with such a tree has installed. */
export async function textOf(document: string | TypedDocument): Promise<string> {
  if (typeof document === 'string') return document;
  const { print } = await import('graphql');
  return print(document as Parameters<typeof print>[0]);
}
