type Fields = Readonly<Record<string, unknown>>;

/**
 * Returns the merge patch that sets each stated field to exactly its value, removing anything else inside it. A field stated as `undefined`
 * is removed; one that is not stated stays.
 */
export function statusPatch(before: unknown, stated: Fields): Fields {
  const known = isFields(before) ? before : {};
  const patched = Object.entries(stated).flatMap(([name, value]): readonly [string, unknown][] => {
    if (value !== undefined) return [[name, isFields(value) ? statusPatch(known[name], whole(known[name], value)) : value]];
    return name in known ? [[name, null]] : [];
  });
  return Object.fromEntries(patched);
}

/** Within a field, anything that exists but is not stated is removed. */
const whole = (before: unknown, stated: Fields): Fields =>
  isFields(before) ? { ...Object.fromEntries(Object.keys(before).map((name) => [name, undefined])), ...stated } : stated;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
