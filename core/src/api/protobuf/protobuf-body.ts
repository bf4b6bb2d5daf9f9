import { decodeMessage } from './message-decoder.js';
import { messageFields } from './message-table.js';
import { WireError, WireReader } from './wire-reader.js';

/** The decoded object of a body. */
export interface ProtobufBody {
  readonly apiVersion: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** The four bytes before the envelope. */
const magic = Buffer.from('k8s\0');

/**
 * Decodes a body: an envelope with apiVersion and kind around a message.
 *
 * @throws WireError
 */
export function decodeProtobufBody(body: Uint8Array): ProtobufBody {
  if (!magic.equals(body.subarray(0, magic.byteLength))) throw new WireError('it does not begin with "k8s" and a zero byte');
  const { type, raw } = envelopeOf(body.subarray(magic.byteLength));
  const { apiVersion, kind } = typeOf(type);
  const name = messageName(apiVersion, kind);
  if (messageFields(name) === undefined) throw new WireError(`kind "${kind}" of "${apiVersion}" has no protobuf form here; send JSON`);
  return { apiVersion, kind, ...(decodeMessage(name, raw) as object) };
}

/** Returns the name of a kind's message. It has the first label of the group; delete options have the group of the deleted object. */
function messageName(apiVersion: string, kind: string): string {
  if (kind === 'DeleteOptions') return 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  return `io.k8s.api.${group.split('.', 1)[0]}.${version}.${kind}`;
}

const nothing = new Uint8Array(0);

function envelopeOf(bytes: Uint8Array): { readonly type: Uint8Array; readonly raw: Uint8Array } {
  const [type = nothing, raw = nothing, encoding = nothing] = chunksOf(bytes, 3);
  if (encoding.byteLength > 0) throw new WireError('the object is encoded once more');
  return { type, raw };
}

function typeOf(bytes: Uint8Array): { readonly apiVersion: string; readonly kind: string } {
  const [apiVersion = '', kind = ''] = chunksOf(bytes, 2).map((chunk) => Buffer.from(chunk ?? nothing).toString('utf8'));
  return { apiVersion, kind };
}

/** Returns the length-delimited fields 1 to `count`. */
function chunksOf(bytes: Uint8Array, count: number): (Uint8Array | undefined)[] {
  const chunks: (Uint8Array | undefined)[] = Array.from({ length: count });
  const reader = new WireReader(bytes);
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag();
    if (wire === 2 && number <= count) chunks[number - 1] = reader.chunk();
    else reader.skip(wire);
  }
  return chunks;
}
