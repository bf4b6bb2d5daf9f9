import type { ServedKind } from '../../ports/engine.js';
import { namespaceParameter, nameParameter, parametersOf } from './openapi-parameters.js';
import { deleteOptionsSchema, listSchemaName, nameOfKind, reference, statusSchema } from './openapi-schemas.js';
import { patchMediaTypes } from '../request/write-parameters.js';

/** Methods of one path. */
type PathItem = Record<string, object>;

interface Operation {
  readonly method: string;
  /** Kubernetes' name of it: clients find operations by it. */
  readonly action: string;
  readonly request?: string;
  readonly requestTypes?: readonly string[];
  /** Several: one of them. */
  readonly answer: string | readonly string[];
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly summary: string;
}

const bodyTypes = ['application/json', 'application/yaml'];

/** The paths of one kind; `prefix` is that of its group and version. */
export function pathsOf(prefix: string, kind: ServedKind): Readonly<Record<string, PathItem>> {
  const { plural, scope, verbs } = kind;
  const isNamespaced = scope === 'Namespaced';
  const collection = `${prefix}/${isNamespaced ? 'namespaces/{namespace}/' : ''}${plural}`;
  const inNamespace = isNamespaced ? [namespaceParameter] : [];
  const named = [nameParameter, ...inNamespace];
  const paths: Record<string, PathItem> = {
    [collection]: pathItem(collectionOperations(kind), inNamespace),
    [`${collection}/{name}`]: pathItem(objectOperations(kind, kind, verbs, kind.schemaName), named),
  };
  if (isNamespaced && verbs.includes('list')) paths[`${prefix}/${plural}`] = pathItem([listOperation(kind)], []);
  for (const part of kind.subresources) {
    const body = part.kind ?? kind;
    const schema = part.kind === undefined ? kind.schemaName : nameOfKind(part.kind, kind.components());
    const operations = objectOperations(kind, body, part.verbs, schema ?? statusSchema, part.name);
    paths[`${collection}/{name}/${part.name}`] = pathItem(operations, named);
  }
  return Object.fromEntries(Object.entries(paths).filter(([, item]) => Object.keys(item).length > 1));
}

function pathItem(operations: readonly Operation[], parameters: readonly object[]): PathItem {
  return { ...Object.fromEntries(operations.map((operation) => [operation.method, describe(operation)])), parameters };
}

function describe({ method, action, request, requestTypes = bodyTypes, answer, kind, summary }: Operation): object {
  const schema = typeof answer === 'string' ? reference(answer) : { anyOf: answer.map(reference) };
  const content = { 'application/json': { schema }, 'application/yaml': { schema } };
  const failed = { description: 'Refused or failed.', content: { 'application/json': { schema: reference(statusSchema) } } };
  const { group, version } = kind;
  return {
    description: summary,
    parameters: parametersOf[action] ?? [],
    ...(request !== undefined && {
      requestBody: {
        required: action !== 'delete' && action !== 'deletecollection',
        content: Object.fromEntries(requestTypes.map((type) => [type, { schema: reference(request) }])),
      },
    }),
    responses: {
      200: { description: 'Done.', content },
      ...((method === 'post' || method === 'patch') && { 201: { description: 'Created.', content } }),
      default: failed,
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind: kind.kind },
  };
}

function listOperation(kind: ServedKind): Operation {
  return { method: 'get', action: 'list', answer: listSchemaName(kind), kind, summary: `List or watch objects of kind ${kind.kind}.` };
}

function collectionOperations(kind: ServedKind): Operation[] {
  const { verbs, schemaName } = kind;
  const operations: Operation[] = [];
  if (verbs.includes('list')) operations.push(listOperation(kind));
  if (verbs.includes('create')) {
    operations.push({ method: 'post', action: 'post', request: schemaName, answer: schemaName, kind, summary: `Create a ${kind.kind}.` });
  }
  if (verbs.includes('deletecollection')) {
    const summary = `Delete objects of kind ${kind.kind}.`;
    operations.push({ method: 'delete', action: 'deletecollection', request: deleteOptionsSchema, answer: statusSchema, kind, summary });
  }
  return operations;
}

function objectOperations(
  owner: ServedKind,
  kind: Operation['kind'],
  verbs: readonly string[],
  schema: string,
  part?: string,
): Operation[] {
  const what = part === undefined ? `a ${owner.kind}` : `${part} of a ${owner.kind}`;
  const all: Readonly<Record<string, Operation>> = {
    get: { method: 'get', action: 'get', answer: schema, kind, summary: `Read ${what}.` },
    update: { method: 'put', action: 'put', request: schema, answer: schema, kind, summary: `Replace ${what}.` },
    patch: {
      method: 'patch',
      action: 'patch',
      request: schema,
      requestTypes: patchMediaTypes(owner),
      answer: schema,
      kind,
      summary: `Change ${what}.`,
    },
    delete: {
      method: 'delete',
      action: 'delete',
      request: deleteOptionsSchema,
      // The object when something has yet to happen before it is gone.
      answer: [statusSchema, schema],
      kind,
      summary: `Delete ${what}.`,
    },
    ...(part !== undefined && {
      create: { method: 'post', action: 'post', request: schema, answer: schema, kind, summary: `Create ${what}.` },
    }),
  };
  return verbs.flatMap((verb) => all[verb] ?? []);
}
