import { isUtf8 } from 'node:buffer';
import { parseDocument } from 'yaml';
import { apiErrors } from '../errors.js';
import type { Exchange } from './exchange.js';
import { keysInJson } from './json-keys.js';
import { mediaTypeOf } from './media-type.js';
import { readBody } from './request-body.js';
import { weigh } from '../weight.js';

const depthMax = 64;
export const documentBytesMax = 256 * 1024;
const aliasesMax = 0;

/** A body that is an object. */
export type SmallDocument = Readonly<Record<string, unknown>>;

/** The encoding of a body. Protobuf is Kubernetes' own form, which some kubectl commands send. */
export type BodyEncoding = 'json' | 'yaml' | 'protobuf';

const encodings: Readonly<Record<string, BodyEncoding>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
};

/** Returns the declared encoding of a body; none means JSON, as kubectl sends some. @throws TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED */
function bodyEncoding(exchange: Exchange): BodyEncoding {
  const type = mediaTypeOf(exchange.header('content-type')) || 'application/json';
  const encoding = Object.hasOwn(encodings, type) ? encodings[type] : undefined;
  if (encoding !== undefined) return encoding;
  throw apiErrors.TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED({
    message: `a body is application/json, application/yaml or application/vnd.kubernetes.protobuf, found "${type}"`,
  });
}

/**
 * Reads a body that is not an object of the engine: delete options, the input of an action, a review. An empty body is an empty document.
 *
 * @throws TAP_REQUEST_BODY_INVALID, TAP_REQUEST_BODY_TOO_LARGE, TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED
 */
export async function readDocument(exchange: Exchange): Promise<SmallDocument> {
  const body = await readKnownBody(exchange, documentBytesMax);
  if (body.byteLength === 0) return {};
  const encoding = bodyEncoding(exchange);
  if (encoding === 'json') return jsonDocument(body);
  return checked(encoding === 'protobuf' ? await parseProtobuf(body) : parseYaml(utf8(body)));
}

/** Reads a body and reports its size and keys to flow control. @throws errors of `readBody`, and TAP_FLOW_FULL */
export async function readKnownBody(exchange: Exchange, bytesMax?: number): Promise<Buffer> {
  const body = await readBody(exchange, bytesMax);
  const { byteLength: bytes } = body;
  const keys = keysInJson(body);
  exchange.keys = keys;
  await weigh(exchange, isYaml(exchange, body) ? { bytes, yamlBytes: bytes } : { bytes, keys });
  return body;
}

const openingBrace = 0x7b;
const blanks: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Whether a body is really YAML: kubectl also declares JSON as YAML, which is parsed as JSON. */
function isYaml(exchange: Exchange, body: Buffer): boolean {
  if (!mediaTypeOf(exchange.header('content-type')).endsWith('yaml')) return false;
  let first = 0;
  while (blanks.has(body[first])) first += 1;
  return body[first] !== openingBrace;
}

/** Same for a body known to be JSON. @throws TAP_REQUEST_BODY_INVALID */
export function jsonDocument(body: Buffer): SmallDocument {
  return body.byteLength === 0 ? {} : checked(parseJson(utf8(body)));
}

function checked(value: unknown): SmallDocument {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('expected an object');
  refuseDangerous(value, 0);
  return value as SmallDocument;
}

/** Reads a body for the engine; protobuf is converted to the JSON that it represents. */
export async function readEngineBody(exchange: Exchange): Promise<{ readonly body: Uint8Array; readonly mediaType: 'json' | 'yaml' }> {
  const encoding = bodyEncoding(exchange);
  const body = await readKnownBody(exchange);
  if (encoding !== 'protobuf') return { body, mediaType: encoding };
  return { body: Buffer.from(JSON.stringify(await parseProtobuf(body))), mediaType: 'json' };
}

/** Decodes protobuf; the tables of messages are loaded on first use. */
async function parseProtobuf(body: Uint8Array): Promise<object> {
  const { decodeProtobufBody } = await import('../protobuf/protobuf-body.js');
  try {
    return decodeProtobufBody(body);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : 'it is not protobuf');
  }
}

const byteOrderMark = '\uFEFF';

function utf8(body: Buffer): string {
  if (!isUtf8(body)) throw invalid('it is not UTF-8');
  const text = body.toString();
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : 'it is not JSON');
  }
}

function parseYaml(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true, merge: false, schema: 'core' });
  const [problem] = document.errors;
  if (problem !== undefined) throw invalid(problem.message);
  try {
    return document.toJS({ maxAliasCount: aliasesMax });
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : 'it is not YAML');
  }
}

/** Refuses excessive depth, `__proto__` and unpaired surrogates. Parsed values only have own keys, so `for in` sees no others. */
function refuseDangerous(value: object, depth: number): void {
  if (depth >= depthMax) throw invalid(`it is nested deeper than ${depthMax} levels`);
  for (const key in value) {
    if (key === '__proto__') throw invalid('the key "__proto__" is not allowed');
    const part = (value as SmallDocument)[key];
    if (!key.isWellFormed() || (typeof part === 'string' && !part.isWellFormed()))
      throw invalid(`${key.toWellFormed()}: expected Unicode text, found half of a surrogate pair`);
    if (typeof part === 'object' && part !== null) refuseDangerous(part, depth + 1);
  }
}

function invalid(problem: string): Error {
  return apiErrors.TAP_REQUEST_BODY_INVALID({ message: `the request body cannot be read: ${problem}` });
}
