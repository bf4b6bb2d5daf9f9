import generated from './kubernetes-messages.json' with { type: 'json' };

/** One field of a message: how it is encoded and where it stands in JSON. */
export interface MessageField {
  readonly name: string;
  /** string, bytes, bool, int, double, or the name of a message. */
  readonly type: string;
  readonly isList: boolean;
  readonly isMap: boolean;
  /** Its fields belong to the message around it. */
  readonly isInline: boolean;
  /** Written whether or not it was set, so a zero value says nothing. */
  readonly isAlwaysWritten: boolean;
  /** JSON leaves a zero value out. */
  readonly dropsZero: boolean;
}

const rows: Readonly<Record<string, readonly string[]>> = generated.messages;
const parsed = new Map<string, ReadonlyMap<number, MessageField>>();

/** The fields of a message by number; nothing when it is none of those that can stand in a body. */
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
