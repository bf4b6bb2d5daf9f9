import { freezeDeep, isTapError } from '@tappaas/sdk';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
  visit,
  type Alias,
  type Document as YamlDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { refuseBrokenText } from './broken-text.js';
import { fieldPath, itemPath } from './field-path.js';
import { isDeeperThan } from './json-value.js';
import { documentErrors } from './document-errors.js';
import { documentLimits, parseJson, type Document, type DocumentLimits } from './json-document.js';

/** Enough for hand-written anchors, but far too few for an alias bomb. */
const aliasesMax = 100;
/** The YAML parser reads about a megabyte per second and blocks other requests meanwhile; JSON has no such limit. */
export const yamlCharactersMax = 256 * 1024;

/**
 * Decodes one YAML document strictly, with the findings and limits of `parseJson`, which reads it if it is JSON. Tags beyond the core
 * schema of YAML are refused.
 *
 * @throws TAP_DOCUMENT_SYNTAX, TAP_DOCUMENT_LIMIT (size, depth, keys, aliases, or the key `__proto__`)
 */
export function parseYaml(text: string, limits: DocumentLimits = documentLimits): Document {
  return (text.trimStart().startsWith('{') ? asJson(text, limits) : undefined) ?? asYaml(text, limits);
}

/** kubectl sends JSON as YAML. A flow mapping without quotes is not JSON, so it returns undefined. */
function asJson(text: string, limits: DocumentLimits): Document | undefined {
  try {
    return parseJson(text, limits);
  } catch (error) {
    if (isTapError(error, 'TAP_DOCUMENT_SYNTAX')) return undefined;
    throw error;
  }
}

function asYaml(text: string, limits: DocumentLimits): Document {
  if (text.length > yamlCharactersMax) {
    throw documentErrors.TAP_DOCUMENT_LIMIT({
      message: `a YAML document may have ${yamlCharactersMax} characters, found ${text.length}; send JSON`,
    });
  }
  const documents = parseAllDocuments(text, { uniqueKeys: false, schema: 'core', version: '1.2', merge: false, prettyErrors: false });
  const [document, ...more] = 'empty' in documents ? [] : documents;
  if (document === undefined || more.length > 0) {
    throw documentErrors.TAP_DOCUMENT_SYNTAX({
      message: `the body must hold one YAML document, found ${more.length === 0 ? 'none' : more.length + 1}`,
    });
  }
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) throw syntaxError(text, error);
  const duplicates = findings(document, limits);
  const value = toValue(document);
  if (isDeeperThan(value, limits.depthMax)) throw tooDeep(limits);
  refuseBrokenText(value);
  return { value: freezeDeep(value), duplicates };
}

function syntaxError(text: string, { message, pos: [at] }: YAMLError) {
  const before = text.slice(0, at).split('\n');
  const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  return documentErrors.TAP_DOCUMENT_SYNTAX({ message: `the document is not valid YAML: ${message} at ${place}` });
}

function toValue(document: YamlDocument): unknown {
  try {
    return document.toJS({ maxAliasCount: aliasesMax });
  } catch (cause) {
    throw tooManyAliases(cause);
  }
}

const tooManyAliases = (cause?: unknown) =>
  documentErrors.TAP_DOCUMENT_LIMIT({ message: `the document uses aliases more than ${aliasesMax} times`, cause });

const tooDeep = (limits: DocumentLimits) =>
  documentErrors.TAP_DOCUMENT_LIMIT({ message: `the document is nested deeper than ${limits.depthMax} levels` });

function findings(document: YamlDocument, limits: DocumentLimits): readonly string[] {
  const duplicates: string[] = [];
  let keys = 0;
  let aliases = 0;
  visit(document, (_, node, ancestors) => {
    if (ancestors.length > 2 * limits.depthMax + 2) throw tooDeep(limits);
    if (isAlias(node)) {
      if (++aliases > aliasesMax) throw tooManyAliases();
      checkAlias(document, node, ancestors);
    }
    if (!isMap(node)) return;
    keys += node.items.length;
    if (keys > limits.keysMax) throw documentErrors.TAP_DOCUMENT_LIMIT({ message: `the document has more than ${limits.keysMax} keys` });
    duplicates.push(...repeatedKeys(node, () => pathOf([...ancestors, node])));
  });
  return duplicates;
}

/** Refuses an alias inside the value it refers to, which would be infinite. */
function checkAlias(document: YamlDocument, alias: Alias, ancestors: readonly unknown[]): void {
  const target = alias.resolve(document);
  if (target !== undefined && !ancestors.includes(target)) return;
  throw documentErrors.TAP_DOCUMENT_SYNTAX({
    message: `the alias *${alias.source} ${target === undefined ? 'has no anchor' : 'contains itself'}`,
  });
}

function repeatedKeys(map: YAMLMap, path: () => string): string[] {
  const seen = new Set<string>();
  const repeated: string[] = [];
  for (const { key } of map.items) {
    const name = isScalar(key) ? String(key.value) : undefined;
    if (name === undefined) throw documentErrors.TAP_DOCUMENT_SYNTAX({ message: `a key of ${path() || 'the document'} is not a scalar` });
    if (name === '__proto__')
      throw documentErrors.TAP_DOCUMENT_LIMIT({ message: 'the document has the key "__proto__", which no object may have' });
    if (seen.has(name)) repeated.push(fieldPath(path(), name));
    seen.add(name);
  }
  return repeated;
}

function pathOf(nodes: readonly unknown[]): string {
  let path = '';
  for (const [position, node] of nodes.entries()) {
    const inner = nodes[position + 1];
    if (isSeq(node)) path = itemPath(path, node.items.indexOf(inner));
    if (isMap(node) && inner !== undefined) {
      const pair = node.items.find((item) => item === inner);
      if (pair !== undefined && isScalar(pair.key)) path = fieldPath(path, String(pair.key.value));
    }
  }
  return path;
}
