import { Kind, type DocumentNode, type FieldNode, type OperationDefinitionNode } from 'graphql';

const fieldName = 'rateLimit';

/**
 * Returns the document reduced to its `rateLimit` fields when one of them has `dryRun: true`, else undefined. Only the document and the
 * variables are inspected, so nothing else of a dry run is resolved.
 */
export function dryRunDocument(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>> | undefined,
): DocumentNode | undefined {
  const requested = operation.selectionSet.selections.filter(
    (selection) => selection.kind === Kind.FIELD && selection.name.value === fieldName,
  ) as FieldNode[];
  if (!requested.some((field) => isDry(field, operation, variables ?? {}))) return undefined;
  const alone = { ...operation, selectionSet: { ...operation.selectionSet, selections: requested } };
  return { ...document, definitions: document.definitions.map((definition) => (definition === operation ? alone : definition)) };
}

/** Whether the operation can be a dry run for some values of its variables. */
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
