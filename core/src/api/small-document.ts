import { parseDocument } from 'yaml';
import { apiErrors } from './errors.js';
import type { Exchange } from './exchange.js';
import { mediaTypeOf } from './media-type.js';
import { readBody } from './request-body.js';

const depthMax = 64;
const documentBytesMax = 256 * 1024;
const aliasesMax = 0;

/** How a body is encoded. Protobuf is Kubernetes' own, in which kubectl sends the bodies of some commands. */
export type BodyEncoding = 'json' | 'yaml' | 'protobuf';

const encodings: Readonly<Record<string, BodyEncoding>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
};

/** The encoding that a body claims; none counts as JSON, as kubectl sends some. @throws TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED */
function bodyEncoding(exchange: Exchange): BodyEncoding {
  const type = mediaTypeOf(exchange.header('content-type')) || 'application/json';
  const encoding = Object.hasOwn(encodings, type) ? encodings[type] : undefined;
  if (encoding !== undefined) return encoding;
  throw apiErrors.TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED({
    message: `a body is application/json, application/yaml or application/vnd.kubernetes.protobuf, found "${type}"`,
  });
}

/**
 * The body of a request that is no object of the engine: delete options, the input of an action, a review. An empty body is an empty
 * document.
 *
 * @throws TAP_REQUEST_BODY_INVALID, TAP_REQUEST_BODY_TOO_LARGE, TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED
 */
export async function readDocument(exchange: Exchange): Promise<Readonly<Record<string, unknown>>> {
  const body = await readBody(exchange, documentBytesMax);
  if (body.byteLength === 0) return {};
  const encoding = bodyEncoding(exchange);
  const value: unknown =
    encoding === 'protobuf' ? await parseProtobuf(body) : encoding === 'json' ? parseJson(utf8(body)) : parseYaml(utf8(body));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('expected an object');
  refuseDangerous(value, 0);
  return value as Readonly<Record<string, unknown>>;
}

/** A body as the engine takes it: what came as protobuf goes on as the JSON it stands for. */
export async function readEngineBody(exchange: Exchange): Promise<{ readonly body: Uint8Array; readonly mediaType: 'json' | 'yaml' }> {
  const encoding = bodyEncoding(exchange);
  const body = await readBody(exchange);
  if (encoding !== 'protobuf') return { body, mediaType: encoding };
  return { body: Buffer.from(JSON.stringify(await parseProtobuf(body))), mediaType: 'json' };
}

/** The tables of its messages are loaded with the first one. */
async function parseProtobuf(body: Uint8Array): Promise<object> {
  const { decodeProtobufBody } = await import('./protobuf/protobuf-body.js');
  try {
    return decodeProtobufBody(body);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : 'it is not protobuf');
  }
}

function utf8(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw invalid('it is not UTF-8');
  }
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

function refuseDangerous(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= depthMax) throw invalid(`it is nested deeper than ${depthMax} levels`);
  if (Object.hasOwn(value, '__proto__')) throw invalid('the key "__proto__" is not allowed');
  for (const part of Object.values(value)) refuseDangerous(part, depth + 1);
}

function invalid(problem: string): Error {
  return apiErrors.TAP_REQUEST_BODY_INVALID({ message: `the request body cannot be read: ${problem}` });
}
