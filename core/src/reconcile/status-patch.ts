type Fields = Readonly<Record<string, unknown>>;

/**
 * The merge patch that makes each stated field what it says and nothing else of what `before` has inside it. A field that is stated as
 * `undefined` goes; one that is not named stays.
 */
export function statusPatch(before: unknown, stated: Fields): Fields {
  const known = isFields(before) ? before : {};
  const patched = Object.entries(stated).flatMap(([name, value]): readonly [string, unknown][] => {
    if (value !== undefined) return [[name, isFields(value) ? statusPatch(known[name], whole(known[name], value)) : value]];
    return name in known ? [[name, null]] : [];
  });
  return Object.fromEntries(patched);
}

/** Inside a field nothing stays unsaid: what was there and is not stated is taken away. */
const whole = (before: unknown, stated: Fields): Fields =>
  isFields(before) ? { ...Object.fromEntries(Object.keys(before).map((name) => [name, undefined])), ...stated } : stated;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
