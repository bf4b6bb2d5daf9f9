import { kubernetesSchemas } from '@tappaas/sdk/kubernetes';
import type { ServedKind, ServedSubresource } from '../../ports/engine.js';
import { patchMediaTypes } from '../request/write-parameters.js';
import {
  deletedAnswer,
  listAnswer,
  notModifiedAnswer,
  objectAnswer,
  objectContent,
  statusAnswer,
  webSocketAnswer,
  writtenAnswer,
} from './openapi-answers.js';
import { pathItem, refusedReads, refusedWrites, withArticle, type Operation } from './openapi-operation.js';
import { parametersOf, sent } from './openapi-parameters.js';
import { capitalized, partOperation } from './openapi-parts.js';
import { deleteOptionsSchema, jsonPatchSchema, listSchemaName, nameOfKind, patchSchema, statusSchema } from './openapi-schemas.js';
import type { SharedComponents } from './shared-components.js';

/** The kind to describe, and what its operations reference. */
interface Described {
  readonly kind: ServedKind;
  /** The kind of Operations, if the engine has it. */
  readonly operations: ServedKind | undefined;
  readonly shared: SharedComponents;
}

/** Makes the paths of one kind; `prefix` is that of its group and version. */
export function pathsOf(prefix: string, described: Described): Readonly<Record<string, object>> {
  const { kind, shared } = described;
  const { plural, scope, verbs } = kind;
  const isNamespaced = scope === 'Namespaced';
  const collection = `${prefix}/${isNamespaced ? 'namespaces/{namespace}/' : ''}${plural}`;
  const inNamespace = isNamespaced ? sent('namespace') : [];
  const named = [...sent('name'), ...inNamespace];
  const paths: Record<string, object> = {
    [collection]: pathItem(collectionOperations(described), inNamespace, shared),
    [`${collection}/{name}`]: pathItem(objectOperations({ ...described, schema: kind.schemaName }, verbs), named, shared),
  };
  if (isNamespaced && verbs.includes('list'))
    paths[`${prefix}/${plural}`] = pathItem([listOperation(described, 'ForAllNamespaces')], [], shared);
  for (const part of kind.subresources)
    paths[`${collection}/{name}/${part.name}`] = pathItem(subresourceOperations(described, part), named, shared);
  return Object.fromEntries(Object.entries(paths).filter(([, item]) => Object.keys(item).length > 1));
}

const idOf = (verb: string, { scope, kind }: ServedKind, part = ''): string =>
  `${verb}${scope === 'Namespaced' ? 'Namespaced' : ''}${kind}${capitalized(part)}`;

function listOperation({ kind, shared }: Described, where = ''): Operation {
  return {
    method: 'get',
    action: 'list',
    id: where === '' ? idOf('list', kind) : `list${kind.kind}${where}`,
    kind,
    summary: `List or watch objects of kind ${kind.kind}.`,
    parameters: parametersOf.list,
    answers: { 200: listAnswer(shared, listSchemaName(kind)), 101: webSocketAnswer(shared) },
    refusals: [...refusedReads, 426],
  };
}

function collectionOperations(described: Described): Operation[] {
  const { kind, shared } = described;
  const { verbs, schemaName } = kind;
  const operations: Operation[] = [];
  if (verbs.includes('list')) operations.push(listOperation(described));
  if (verbs.includes('create')) {
    operations.push({
      method: 'post',
      action: 'post',
      id: idOf('create', kind),
      kind,
      summary: `Create ${withArticle(kind)}.`,
      parameters: verbs.includes('get') ? parametersOf.post : parametersOf.ask,
      body: { required: true, content: objectContent(shared.schema(schemaName, kind.components())) },
      answers: { 201: writtenAnswer(shared, kind) },
      refusals: refusedWrites,
    });
  }
  if (verbs.includes('deletecollection')) {
    operations.push({
      method: 'delete',
      action: 'deletecollection',
      id: idOf('deleteCollection', kind),
      kind,
      summary: `Delete objects of kind ${kind.kind}.`,
      parameters: parametersOf.deletecollection,
      body: deletionBody(shared),
      answers: { 200: statusAnswer(shared) },
      refusals: refusedWrites,
    });
  }
  return operations;
}

const deletionBody = (shared: SharedComponents) => ({ required: false, content: objectContent(shared.schema(deleteOptionsSchema)) });

interface DescribedObject extends Described {
  /** Name of the schema of the object, or of the body of its subresource. */
  readonly schema: string;
  readonly part?: ServedSubresource;
}

/** Makes the operations on one object or one of its subresources that the engine answers. */
function objectOperations(object: DescribedObject, verbs: readonly string[]): readonly Operation[] {
  const { kind, shared, schema, part } = object;
  const { name } = part ?? {};
  const what = name === undefined ? withArticle(kind) : `${name} of ${withArticle(kind)}`;
  const usual = { kind: part?.kind ?? kind };
  // Writes of subresources, such as status, start no Operation.
  const written = name === undefined ? writtenAnswer(shared, kind) : objectAnswer(shared, schema);
  const all: Readonly<Record<string, () => Operation>> = {
    get: () => ({
      ...usual,
      method: 'get',
      action: 'get',
      id: idOf('read', kind, name),
      summary: `Read ${what}.`,
      parameters: parametersOf.get,
      answers: { 200: objectAnswer(shared, schema), 304: notModifiedAnswer(shared) },
      refusals: refusedReads,
    }),
    update: () => ({
      ...usual,
      method: 'put',
      action: 'put',
      id: idOf('replace', kind, name),
      summary: `Replace ${what}.`,
      parameters: parametersOf.put,
      body: { required: true, content: objectContent({ $ref: `#/components/schemas/${schema}` }) },
      answers: { 200: written },
      refusals: refusedWrites,
    }),
    patch: () => ({
      ...usual,
      method: 'patch',
      action: 'patch',
      id: idOf('patch', kind, name),
      summary: `Change ${what}.`,
      parameters: parametersOf.patch,
      body: { required: true, content: patchContent(object) },
      answers: { 200: written, 201: written },
      refusals: refusedWrites,
    }),
    delete: () => ({
      ...usual,
      method: 'delete',
      action: 'delete',
      id: idOf('delete', kind, name),
      summary: `Delete ${what}.`,
      parameters: parametersOf.delete,
      body: deletionBody(shared),
      answers: { 200: deletedAnswer(shared, schema) },
      refusals: refusedWrites,
    }),
  };
  return verbs.flatMap((verb) => all[verb]?.() ?? []);
}

function patchContent({ kind, shared, schema }: DescribedObject): object {
  const schemas: Readonly<Record<string, () => object>> = {
    'application/json-patch+json': () => shared.schema(jsonPatchSchema),
    'application/apply-patch+yaml': () => ({ $ref: `#/components/schemas/${schema}` }),
  };
  const patch = () => shared.schema(patchSchema);
  return Object.fromEntries(patchMediaTypes(kind).map((type) => [type, { schema: (schemas[type] ?? patch)() }]));
}

/** Makes the operations on a subresource, whether the engine or another handler answers them. */
function subresourceOperations(described: Described, part: ServedSubresource): readonly Operation[] {
  const { kind, operations, shared } = described;
  const schema = bodySchemaOf(kind, part, shared);
  return part.verbs.flatMap((verb): readonly Operation[] => {
    const other = part.parts?.[verb];
    if (other === undefined) return objectOperations({ ...described, schema, part }, [verb]);
    return [partOperation({ kind, name: part.name, verb, part: other, operations }, shared)];
  });
}

/** Returns the schema of a subresource's body. Bodies such as Scale are Kubernetes kinds that need not be served themselves. */
function bodySchemaOf(kind: ServedKind, { kind: body }: ServedSubresource, shared: SharedComponents): string {
  if (body === undefined) return kind.schemaName;
  const found = [kind.components(), kubernetesSchemas].flatMap((from) => {
    const name = nameOfKind(body, from);
    return name === undefined ? [] : [{ name, from }];
  })[0];
  if (found === undefined) return statusSchema;
  shared.schema(found.name, found.from);
  return found.name;
}
