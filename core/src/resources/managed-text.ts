/**
 * The text of an object's managed fields. Those of like objects differ in times and uids: what is left of the text without these, the
 * pattern, is one string for all of them, and most of the text.
 */
export class ManagedText {
  readonly #pattern: string;
  /** The times one after the other, then the uids. */
  readonly #values: string;

  constructor(text: string, patterns: TextPatterns) {
    const withoutTimes = cut(text, time);
    const withoutUids = cut(withoutTimes.rest, uid);
    this.#pattern = patterns.shared(withoutUids.rest);
    // Copied, or they would hold on to the text that they were cut from.
    this.#values = Buffer.from(withoutTimes.values + withoutUids.values, 'latin1').toString('latin1');
  }

  toString(): string {
    const times = filled(this.#pattern, this.#values, 0, time);
    return filled(times.text, this.#values, times.end, uid).text;
  }
}

/** What differs between objects: what stands before it, how it looks, and how long it is. */
interface Variable {
  readonly before: string;
  readonly form: RegExp;
  readonly characters: number;
  /** Stands for it in patterns. No JSON text has it: there it is written as an escape. */
  readonly place: string;
}

const time: Variable = { before: '"time":"', form: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, characters: 20, place: '\0' };
const uid: Variable = { before: 'k:{\\"uid\\":\\"', form: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/, characters: 36, place: '\x01' };

/** Takes the values of one kind out of a text. */
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

/** Puts the values of one kind, the first of which begins at `start`, back to their places; `end` is where the last one ended. */
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

/** The patterns that were met lately. When there are too many, all are forgotten: texts keep theirs, and later ones share anew. */
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

  /** The string with these characters that everybody shares. */
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
