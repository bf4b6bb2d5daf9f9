import { messageFields, type MessageField } from './message-table.js';
import { specialMessages } from './special-messages.js';
import { WireError, WireReader, type WireType } from './wire-reader.js';

type JsonObject = Record<string, unknown>;

const utf8 = new TextDecoder('utf-8', { fatal: true });
const zeros: Readonly<Record<string, unknown>> = { string: '', bool: false, int: 0, double: 0 };

/**
 * Decodes one message into what its JSON would be. Fields without an entry in the table are skipped, as Kubernetes does: newer clients
 * send some that older servers do not know. No message of the tables can stand inside of itself, so they bound the depth.
 *
 * @throws WireError
 */
export function decodeMessage(name: string, bytes: Uint8Array): unknown {
  const fields = messageFields(name);
  if (fields === undefined) throw new WireError(`message ${name} is not known`);
  const object: JsonObject = {};
  const reader = new WireReader(bytes);
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag();
    const field = fields.get(number);
    if (field === undefined) reader.skip(wire);
    else if (field.isMap) putEntry(object, field, mapEntry(reader, field));
    else putValue(object, field, fieldValue(reader, field.type, wire));
  }
  const special = specialMessages[name];
  return special === undefined ? object : special(object);
}

function putValue(object: JsonObject, field: MessageField, value: unknown): void {
  if (field.isInline) Object.assign(object, value);
  else if (field.isList) listAt(object, field.name).push(value);
  else if (value !== undefined && !(field.dropsZero && isZero(field.type, value))) object[field.name] = value;
}

function listAt(object: JsonObject, name: string): unknown[] {
  const list = object[name];
  if (Array.isArray(list)) return list as unknown[];
  const made: unknown[] = [];
  object[name] = made;
  return made;
}

function isZero(type: string, value: unknown): boolean {
  if (type in zeros) return value === zeros[type];
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}

function putEntry(object: JsonObject, { name }: MessageField, [key, value]: readonly [string, unknown]): void {
  const known = (object[name] ?? {}) as JsonObject;
  // An own property, also when it is called __proto__: the engine is the one to refuse it.
  Object.defineProperty(known, key, { value, enumerable: true, configurable: true, writable: true });
  object[name] = known;
}

function mapEntry(reader: WireReader, field: MessageField): readonly [string, unknown] {
  const entry = new WireReader(reader.chunk());
  let key = '';
  let value: unknown = field.type === 'bytes' ? '' : zeros[field.type];
  while (!entry.isAtEnd) {
    const { number, wire } = entry.tag();
    if (number === 1) key = text(entry.chunk());
    else if (number === 2) value = fieldValue(entry, field.type, wire) ?? null;
    else entry.skip(wire);
  }
  return [key, value];
}

const wireOf: Readonly<Record<string, WireType>> = { bool: 0, int: 0, double: 1 };

function fieldValue(reader: WireReader, type: string, wire: WireType): unknown {
  if (wire !== (wireOf[type] ?? 2)) throw new WireError('a field has another form than its type');
  if (type === 'string') return text(reader.chunk());
  if (type === 'bytes') return Buffer.from(reader.chunk()).toString('base64');
  if (type === 'bool') return reader.varint() !== 0n;
  if (type === 'int') return reader.integer();
  if (type === 'double') return reader.double();
  return decodeMessage(type, reader.chunk());
}

function text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new WireError('a text is not UTF-8');
  }
}
