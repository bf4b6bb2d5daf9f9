import { messageFields, type MessageField } from './message-table.js';
import { specialMessages } from './special-messages.js';
import { WireError, WireReader, type WireType } from './wire-reader.js';

type JsonObject = Record<string, unknown>;

const utf8 = new TextDecoder('utf-8', { fatal: true });
const zeros: Readonly<Record<string, unknown>> = { string: '', bytes: '', bool: false, int: 0, double: 0 };

/** A value as in JSON; `isZero` if none of its fields was set, apart from those that are always written. */
interface Decoded {
  readonly value: unknown;
  readonly isZero: boolean;
}

/**
 * Decodes one message to its JSON value. Unknown fields are skipped, as Kubernetes does, because newer clients send fields that older
 * servers do not know. No message of the tables contains itself, so the tables bound the depth.
 *
 * @throws WireError
 */
export function decodeMessage(name: string, bytes: Uint8Array): unknown {
  return decoded(name, bytes).value;
}

function decoded(name: string, bytes: Uint8Array): Decoded {
  const fields = messageFields(name);
  if (fields === undefined) throw new WireError(`message ${name} is not known`);
  const object: JsonObject = {};
  let isZero = true;
  const reader = new WireReader(bytes);
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag();
    const field = fields.get(number);
    if (field === undefined) reader.skip(wire);
    else if (!putField(object, field, reader, wire)) isZero = false;
  }
  const special = specialMessages[name];
  return { value: special === undefined ? object : special(object), isZero };
}

/** Puts a field into the object. Returns whether it is only a zero that is written even if it was not set. */
function putField(object: JsonObject, field: MessageField, reader: WireReader, wire: WireType): boolean {
  if (field.isMap) {
    putEntry(object, field, mapEntry(reader, field));
    return false;
  }
  const { value, isZero } = fieldValue(reader, field.type, wire);
  if (field.isInline) {
    Object.assign(object, value);
    return isZero;
  }
  if (field.isList) listAt(object, field.name).push(value);
  else if (value !== undefined && !(isZero && field.dropsZero)) object[field.name] = value;
  return isZero && field.isAlwaysWritten;
}

function listAt(object: JsonObject, name: string): unknown[] {
  const list = object[name];
  if (Array.isArray(list)) return list as unknown[];
  const made: unknown[] = [];
  object[name] = made;
  return made;
}

function putEntry(object: JsonObject, { name }: MessageField, [key, value]: readonly [string, unknown]): void {
  const known = (object[name] ?? {}) as JsonObject;
  // Defined as an own property, even if the key is __proto__: the engine refuses that one.
  Object.defineProperty(known, key, { value, enumerable: true, configurable: true, writable: true });
  object[name] = known;
}

function mapEntry(reader: WireReader, field: MessageField): readonly [string, unknown] {
  const entry = new WireReader(reader.chunk());
  let key = '';
  let value: unknown = zeros[field.type];
  while (!entry.isAtEnd) {
    const { number, wire } = entry.tag();
    if (number === 1) key = text(entry.chunk());
    else if (number === 2) value = fieldValue(entry, field.type, wire).value ?? null;
    else entry.skip(wire);
  }
  return [key, value];
}

const wireOf: Readonly<Record<string, WireType>> = { bool: 0, int: 0, double: 1 };

function fieldValue(reader: WireReader, type: string, wire: WireType): Decoded {
  if (wire !== (wireOf[type] ?? 2)) throw new WireError('a field has another form than its type');
  const read = scalars[type];
  if (read === undefined) return decoded(type, reader.chunk());
  const value = read(reader);
  return { value, isZero: value === zeros[type] };
}

const scalars: Readonly<Record<string, (reader: WireReader) => unknown>> = {
  string: (reader) => text(reader.chunk()),
  bytes: (reader) => Buffer.from(reader.chunk()).toString('base64'),
  bool: (reader) => reader.varint() !== 0n,
  int: (reader) => reader.integer(),
  double: (reader) => reader.double(),
};

function text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new WireError('a text is not UTF-8');
  }
}
