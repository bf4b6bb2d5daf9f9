import generated from './kubernetes-messages.json' with { type: 'json' };

/** A field of a message: its encoding and its name in JSON. */
export interface MessageField {
  readonly name: string;
  /** string, bytes, bool, int, double, or the name of a message. */
  readonly type: string;
  readonly isList: boolean;
  readonly isMap: boolean;
  /** Whether its fields are merged into the enclosing message. */
  readonly isInline: boolean;
  /** Whether it is written even if it was not set, so that a zero value has no meaning. */
  readonly isAlwaysWritten: boolean;
  /** Whether JSON omits a zero value. */
  readonly dropsZero: boolean;
}

const rows: Readonly<Record<string, readonly string[]>> = generated.messages;
const parsed = new Map<string, ReadonlyMap<number, MessageField>>();

/** Returns the fields of a message by number; undefined for a message that no body contains. */
export function messageFields(name: string): ReadonlyMap<number, MessageField> | undefined {
  const known = parsed.get(name);
  if (known !== undefined || !Object.hasOwn(rows, name)) return known;
  const fields = new Map((rows[name] ?? []).map(parseRow));
  parsed.set(name, fields);
  return fields;
}

function parseRow(row: string): readonly [number, MessageField] {
  const [number, name = '', type = '', ...marks] = row.split(' ');
  const field = {
    name,
    type,
    isList: marks.includes('list'),
    isMap: marks.includes('map'),
    isInline: marks.includes('inline'),
    isAlwaysWritten: marks.includes('zero') || marks.includes('plain'),
    dropsZero: marks.includes('zero'),
  };
  return [Number(number), field];
}
