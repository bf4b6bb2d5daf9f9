import { Kind, type DocumentNode, type FieldNode, type OperationDefinitionNode } from 'graphql';

const fieldName = 'rateLimit';

/**
 * The operation with `rateLimit(dryRun: true)` alone, where it asks for that at its root; nothing where it does not. Whether it does is
 * read off the document and the variables, so that nothing of it is resolved before.
 */
export function dryRunDocument(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>> | undefined,
): DocumentNode | undefined {
  const asked = operation.selectionSet.selections.filter(
    (selection) => selection.kind === Kind.FIELD && selection.name.value === fieldName,
  ) as FieldNode[];
  if (!asked.some((field) => isDry(field, operation, variables ?? {}))) return undefined;
  const alone = { ...operation, selectionSet: { ...operation.selectionSet, selections: asked } };
  return { ...document, definitions: document.definitions.map((definition) => (definition === operation ? alone : definition)) };
}

/** Whether an operation may be a dry run for some variables. */
export function mayBeDryRun({ selectionSet }: OperationDefinitionNode): boolean {
  return selectionSet.selections.some((selection) => selection.kind === Kind.FIELD && selection.name.value === fieldName);
}

function isDry(
  field: FieldNode,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): boolean {
  const value = field.arguments?.find(({ name }) => name.value === 'dryRun')?.value;
  if (value?.kind === Kind.BOOLEAN) return value.value;
  if (value?.kind !== Kind.VARIABLE) return false;
  const name = value.name.value;
  if (Object.hasOwn(variables, name)) return variables[name] === true;
  const byDefault = variableDefinitions.find(({ variable }) => variable.name.value === name)?.defaultValue;
  return byDefault?.kind === Kind.BOOLEAN && byDefault.value;
}
