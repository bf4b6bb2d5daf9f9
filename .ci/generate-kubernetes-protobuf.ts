/**
 * Writes core/src/api/protobuf/kubernetes-messages.json: the field numbers of Kubernetes' protobuf encoding, in which kubectl sends the
 * bodies of some commands. Read from the sources of the API's types:
 *
 *     node .ci/generate-kubernetes-protobuf.ts <checkout of kubernetes/api> <checkout of kubernetes/apimachinery>
 *
 * A field is `number name type marks`. Types: string, bytes, bool, int, double, or a message. Marks: `list`, `map`, `inline` (its
 * fields belong to the message around it), `plain` (no pointer in Go: written always, so a zero value does not say that it was set),
 * `zero` (plain, and JSON leaves a zero value out).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { servedBodies, servedKinds } from './kubernetes-served.ts';

interface Field {
  readonly number: number;
  readonly name: string;
  readonly type: string;
  readonly marks: readonly string[];
}

/** Field tables by the name that the OpenAPI document gives the message. */
type Messages = Record<string, readonly Field[]>;

const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  bytes: 'bytes',
  bool: 'bool',
  int32: 'int',
  int64: 'int',
  double: 'double',
};
const fieldLine = /^\s*(?<label>optional|repeated)?\s*(?<type>map<string,\s*[\w.]+>|[\w.]+)\s+(?<name>\w+)\s*=\s*(?<number>\d+);/;
const goLine = /^\s+(?<go>[\w*[\].]+(?:\s+[\w*[\].]+)?)\s+`json:"(?<json>[^"]*)"[^`]*\s+protobuf:"[^,"]*,(?<number>\d+),[^"]*"/;

/** What Go says of a field: its JSON name, whether it is a pointer, and whether JSON leaves a zero value out. */
interface GoTag {
  readonly json: string;
  readonly isInline: boolean;
  readonly isPointer: boolean;
  readonly leavesZeroOut: boolean;
}

function readMessages(folder: string, goPackage: string): Messages {
  const text = readFileSync(join(folder, 'generated.proto'), 'utf8');
  const tags = goTags(folder);
  const messages: Messages = {};
  for (const [, name = '', body = ''] of text.matchAll(/^message (\w+) \{\n(.*?)^\}/gms)) {
    const fields = body.split('\n').flatMap((line) => fieldOf(line, goPackage, tags.get(name)) ?? []);
    messages[schemaName(`${goPackage}.${name}`)] = fields;
  }
  return messages;
}

function goTags(folder: string): Map<string, Map<number, GoTag>> {
  const structs = new Map<string, Map<number, GoTag>>();
  for (const file of ['types.go', 'intstr.go', 'types_proto.go', 'time.go', 'time_proto.go']) {
    const path = join(folder, file);
    if (!existsSync(path)) continue;
    for (const [, name = '', body = ''] of readFileSync(path, 'utf8').matchAll(/^type (\w+) struct \{\n(.*?)^\}/gms)) {
      const fields = new Map<number, GoTag>();
      for (const line of body.split('\n')) {
        const groups = goLine.exec(line)?.groups;
        if (groups === undefined) continue;
        const { go = '', json = '', number = '' } = groups;
        const [jsonName = '', ...options] = json.split(',');
        fields.set(Number(number), {
          json: jsonName,
          isInline: options.includes('inline'),
          isPointer: (go.split(/\s+/).at(-1) ?? '').startsWith('*'),
          leavesZeroOut: options.includes('omitempty') || options.includes('omitzero'),
        });
      }
      structs.set(name, fields);
    }
  }
  return structs;
}

function fieldOf(line: string, goPackage: string, tags: Map<number, GoTag> | undefined): Field | undefined {
  const groups = fieldLine.exec(line)?.groups;
  if (groups === undefined) return undefined;
  const { label, type = '', name = '' } = groups;
  const number = Number(groups['number']);
  const tag = tags?.get(number);
  const value = /^map<string,\s*(?<value>[\w.]+)>$/.exec(type)?.groups?.['value'];
  const marks = [
    ...(label === 'repeated' ? ['list'] : []),
    ...(value !== undefined ? ['map'] : []),
    ...(tag?.isInline === true ? ['inline'] : []),
    ...(tag?.isPointer === false && label !== 'repeated' && value === undefined ? [tag.leavesZeroOut ? 'zero' : 'plain'] : []),
  ];
  return { number, name: tag?.isInline !== true && tag?.json ? tag.json : name, type: typeName(value ?? type, goPackage), marks };
}

function typeName(type: string, goPackage: string): string {
  const scalar = scalars[type];
  if (scalar !== undefined) return scalar;
  return schemaName(type.includes('.') ? type.replace(/^\./, '') : `${goPackage}.${type}`);
}

/** Go's path turned into the name of the OpenAPI schema: `k8s.io.api.…` is `io.k8s.api.…` there. */
function schemaName(path: string): string {
  return path.replace(/^k8s\.io\./, 'io.k8s.');
}

/** The tables of everything that can stand in a body, by name. */
export function protobufMessages(api: string, machinery: string): Readonly<Record<string, readonly string[]>> {
  const roots = [...servedKinds, ...servedBodies].map(({ schema }) => schema);
  const folders = new Set(
    roots.flatMap((name) => /^io\.k8s\.api\.(?<group>\w+)\.(?<version>\w+)\./.exec(name)?.slice(1, 3).join('/') ?? []),
  );
  const all: Messages = Object.assign(
    {},
    ...[...folders].map((folder) => readMessages(join(api, folder), `k8s.io.api.${folder.replace('/', '.')}`)),
    ...['pkg/apis/meta/v1', 'pkg/api/resource', 'pkg/runtime', 'pkg/util/intstr'].map((folder) =>
      readMessages(join(machinery, folder), `k8s.io.apimachinery.${folder.replaceAll('/', '.')}`),
    ),
  ) as Messages;
  const found = new Map<string, readonly Field[]>();
  const waiting = [...roots];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    const fields = all[name];
    if (fields === undefined) throw new Error(`message ${name} is in none of the files`);
    found.set(name, fields);
    waiting.push(...fields.map(({ type }) => type).filter((type) => type.includes('.')));
  }
  const rows = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    rows.map(([name, fields]) => [name, fields.map(({ number, name: field, type, marks }) => [number, field, type, ...marks].join(' '))]),
  );
}

const header = 'Generated by .ci/generate-kubernetes-protobuf.ts from the types of the Kubernetes API; do not edit.';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [api, machinery] = process.argv.slice(2);
  if (api === undefined || machinery === undefined)
    throw new Error('usage: generate-kubernetes-protobuf.ts <kubernetes/api> <kubernetes/apimachinery>');
  const rows = Object.entries(protobufMessages(api, machinery)).map(
    ([name, fields]) => `    ${JSON.stringify(name)}: ${JSON.stringify(fields)}`,
  );
  const target = new URL('../core/src/api/protobuf/kubernetes-messages.json', import.meta.url);
  writeFileSync(target, `{\n  "//": ${JSON.stringify(header)},\n  "messages": {\n${rows.join(',\n')}\n  }\n}\n`);
}
