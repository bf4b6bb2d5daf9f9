/**
 * The serialized managed fields of an object, stored compactly. Those of similar objects differ only in times and uids; the rest, the
 * pattern, is most of the text and is shared as one string.
 */
export class ManagedText {
  readonly #pattern: string;
  /** All times in order, followed by all uids. */
  readonly #values: string;

  constructor(text: string, patterns: TextPatterns) {
    const withoutTimes = cut(text, time);
    const withoutUids = cut(withoutTimes.rest, uid);
    this.#pattern = patterns.shared(withoutUids.rest);
    // Copied, because substrings would keep the whole original text in memory.
    this.#values = Buffer.from(withoutTimes.values + withoutUids.values, 'latin1').toString('latin1');
  }

  toString(): string {
    const times = filled(this.#pattern, this.#values, 0, time);
    return filled(times.text, this.#values, times.end, uid).text;
  }
}

/** A variable part of the text: the text before it, its form and its length. */
interface Variable {
  readonly before: string;
  readonly form: RegExp;
  readonly characters: number;
  /** Placeholder in patterns. JSON text never contains it, because there it is escaped. */
  readonly place: string;
}

const time: Variable = { before: '"time":"', form: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, characters: 20, place: '\0' };
const uid: Variable = { before: 'k:{\\"uid\\":\\"', form: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/, characters: 36, place: '\x01' };

/** Extracts the values of one variable from a text. */
function cut(text: string, { before, form, characters, place }: Variable): { readonly rest: string; readonly values: string } {
  let [rest, values, from] = ['', '', 0];
  for (let found = text.indexOf(before); found >= 0; found = text.indexOf(before, found + 1)) {
    const at = found + before.length;
    const value = text.slice(at, at + characters);
    if (!form.test(value)) continue;
    rest += text.slice(from, at) + place;
    values += value;
    from = at + characters;
  }
  return { rest: rest + text.slice(from), values };
}

/** Inserts the values of one variable, starting at `start` in `values`, into a pattern; `end` is where the last value ends. */
function filled(pattern: string, values: string, start: number, { characters, place }: Variable): { text: string; end: number } {
  let [text, end, from] = ['', start, 0];
  for (let found = pattern.indexOf(place); found >= 0; found = pattern.indexOf(place, from)) {
    text += pattern.slice(from, found) + values.slice(end, end + characters);
    end += characters;
    from = found + 1;
  }
  return { text: text + pattern.slice(from), end };
}

const patternsMax = 4_096;
const patternCharactersMax = 4 * 1024 * 1024;

/** Recently used patterns. When there are too many, all are dropped: existing texts keep theirs, and later ones share new strings. */
export class TextPatterns {
  readonly #limits: { readonly patternsMax: number; readonly charactersMax: number };
  readonly #known = new Map<string, string>();
  #characters = 0;

  constructor(limits = { patternsMax, charactersMax: patternCharactersMax }) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Returns the shared string with these characters. */
  shared(pattern: string): string {
    const known = this.#known.get(pattern);
    if (known !== undefined) return known;
    const { patternsMax, charactersMax } = this.#limits;
    if (this.#known.size >= patternsMax || this.#characters + pattern.length > charactersMax) this.#forget();
    this.#known.set(pattern, pattern);
    this.#characters += pattern.length;
    return pattern;
  }

  #forget(): void {
    this.#known.clear();
    this.#characters = 0;
  }
}
