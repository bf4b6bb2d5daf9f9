const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
/** Characters that end lines, move the cursor or change the text direction. */
const separators = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Quotes a JSON string and also escapes characters that JSON allows but that readers could take for a line end, for example. */
export function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : withoutSeparators(JSON.stringify(text));
}

/** Serializes any plain value as JSON on a single line for every reader. */
export function jsonText(value: unknown): string {
  return withoutSeparators(JSON.stringify(value));
}

function withoutSeparators(json: string): string {
  return json.replace(separators, (character) => String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0'));
}

/** Memoizes `make` for up to `max` texts, then starts over; most requests come from the same few callers and programs. */
export function remembered<T>(max: number, make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size >= max) known.clear();
    const made = make(text);
    known.set(text, made);
    return made;
  };
}
