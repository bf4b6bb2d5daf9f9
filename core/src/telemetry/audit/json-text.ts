const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
/** What ends lines, moves cursors or turns the direction of what follows. */
const separators = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A JSON string that no reader can take for something else, such as the end of a line: also what JSON itself leaves as it is. */
export function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : withoutSeparators(JSON.stringify(text));
}

/** JSON of any plain value, on one line for every reader. */
export function jsonText(value: unknown): string {
  return withoutSeparators(JSON.stringify(value));
}

function withoutSeparators(json: string): string {
  return json.replace(separators, (character) => String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0'));
}

/** Keeps what `make` answers for up to `max` texts and then starts anew: the same few callers and programs ask most of the time. */
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
