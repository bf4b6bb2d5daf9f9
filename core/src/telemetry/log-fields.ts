/** Names of credentials, alone or at the end of a longer name: `accessToken`, `X-Api-Key`. */
const secretNames = /(?:authorization|cookie|passwd|password|secret|token|credential|api[-_]?key|private[-_]?key)s?$/i;
const hidden = '[secret]';
const unreadable = '[not serialisable]';
const tooMuch = 'left out: too much for one line';
const depthMax = 8;
const framesMax = 5;

interface Room {
  characters: number;
  values: number;
}

const lineRoom: Room = { characters: 16_384, values: 1_000 };
/** Limits one field, so that there is room for others, such as the error that the line is about. */
const fieldRoom: Room = { characters: 4_096, values: 250 };

/**
 * Returns the fields of a log line as plain data: without values under names of credentials at any depth, and limited in size. A value that
 * cannot be read is replaced by a note and does not affect the others.
 */
export function cleanedFields(fields: object): Readonly<Record<string, unknown>> {
  const cleaned: [string, unknown][] = [];
  const left = { ...lineRoom };
  for (const name of Object.keys(fields)) {
    const room = { characters: Math.min(left.characters, fieldRoom.characters), values: Math.min(left.values, fieldRoom.values) };
    const before = { ...room };
    cleaned.push(...Object.entries(new Cleaning(room).members(fields, 0, [name])));
    left.characters -= before.characters - room.characters;
    left.values -= before.values - room.values;
    if (left.characters <= 0 || left.values <= 0) {
      cleaned.push(['…', tooMuch]);
      break;
    }
  }
  return Object.fromEntries(cleaned);
}

class Cleaning {
  readonly #room: Room;
  /** The objects that contain the current value, to detect cycles. */
  readonly #within = new Set<object>();

  constructor(room: Room) {
    this.#room = room;
  }

  members(object: object, depth: number, names = Object.keys(object)): Record<string, unknown> {
    const cleaned: [string, unknown][] = [];
    for (const name of names) {
      if (this.#isFull()) {
        cleaned.push(['…', tooMuch]);
        break;
      }
      cleaned.push([this.#text(name), secretNames.test(name) ? hidden : this.#member(object, name, depth)]);
    }
    return Object.fromEntries(cleaned);
  }

  #member(object: object, name: string, depth: number): unknown {
    try {
      return this.#value((object as Readonly<Record<string, unknown>>)[name], depth);
    } catch {
      return unreadable;
    }
  }

  #value(value: unknown, depth: number): unknown {
    this.#room.values -= 1;
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'function' || typeof value === 'symbol') return unreadable;
    if (typeof value !== 'object' || value === null) return value;
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (depth >= depthMax || this.#within.has(value)) return unreadable;
    this.#within.add(value);
    try {
      return this.#object(value, depth + 1);
    } finally {
      this.#within.delete(value);
    }
  }

  #object(value: object, depth: number): unknown {
    if (value instanceof Error) return this.members(described(value), depth);
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.#value(value.toJSON(), depth);
    return Array.isArray(value) ? this.#list(value, depth) : this.members(value, depth);
  }

  #list(list: readonly unknown[], depth: number): readonly unknown[] {
    const cleaned: unknown[] = [];
    for (const item of list) {
      if (this.#isFull()) return [...cleaned, `… ${list.length - cleaned.length} more`];
      cleaned.push(this.#value(item, depth));
    }
    return cleaned;
  }

  #text(text: string): string {
    const characters = Math.max(0, this.#room.characters);
    const cleaned = text.length <= characters ? text : `${text.slice(0, characters)}…`;
    this.#room.characters -= cleaned.length;
    return cleaned;
  }

  #isFull(): boolean {
    return this.#room.values <= 0 || this.#room.characters <= 0;
  }
}

/** Returns the relevant parts of an error. */
function described(error: Error): object {
  const { code } = error as NodeJS.ErrnoException;
  return {
    message: error.message,
    ...(typeof code === 'string' && { code }),
    stack: error.stack
      ?.split('\n', framesMax + 1)
      .slice(1)
      .map((frame) => frame.trim()),
    ...(error.cause instanceof Error && { cause: error.cause }),
  };
}
