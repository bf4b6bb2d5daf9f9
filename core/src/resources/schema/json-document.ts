import { freezeDeep } from '@tappaas/sdk';
import { documentErrors } from './document-errors.js';
import { refuseBrokenText } from './broken-text.js';
import { fieldPath, itemPath } from './field-path.js';

/** Limits on a document, checked before its content. */
export interface DocumentLimits {
  readonly depthMax: number;
  readonly keysMax: number;
}

/** 64 levels, and room for the keys of an object together with several managers that own all of them. */
export const documentLimits: DocumentLimits = Object.freeze({ depthMax: 64, keysMax: 50_000 });

/** A decoded document, deeply frozen, and the paths of duplicate keys; of two, the later counts. */
export interface Document {
  readonly value: unknown;
  readonly duplicates: readonly string[];
}

const surrogateEscape = /\\u[dD][89a-fA-F]/;

/** The limit of kube-apiserver. */
const duplicatesMax = 100;

/**
 * Decodes JSON strictly: reports duplicate keys, which `JSON.parse` alone drops silently.
 *
 * The value is parsed by the built-in parser, which does not recurse; a second pass over the text, now known to be valid, finds duplicates.
 *
 * @throws TAP_DOCUMENT_SYNTAX (also for malformed Unicode), TAP_DOCUMENT_LIMIT (depth, keys, or the key `__proto__`)
 */
export function parseJson(text: string, limits: DocumentLimits = documentLimits): Document {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw documentErrors.TAP_DOCUMENT_SYNTAX({
      message: `the document is not valid JSON: ${error instanceof Error ? error.message : 'unknown'}`,
    });
  }
  const duplicates = new Scanner(text, limits).scan();
  // Text decoded from UTF-8 contains lone surrogates only as escapes.
  if (surrogateEscape.test(text)) refuseBrokenText(value);
  return { value: freezeDeep(value), duplicates };
}

interface Level {
  /** Keys seen so far; undefined in a list. */
  readonly keys: Set<string> | undefined;
  key: string;
  index: number;
}

const code = { quote: 34, comma: 44, backslash: 92, openList: 91, closeList: 93, openObject: 123, closeObject: 125 } as const;

class Scanner {
  readonly text: string;
  readonly limits: DocumentLimits;
  readonly levels: Level[] = [];
  readonly duplicates = new Set<string>();
  keys = 0;
  at = 0;
  expectsKey = false;

  constructor(text: string, limits: DocumentLimits) {
    this.text = text;
    this.limits = limits;
  }

  scan(): readonly string[] {
    for (; this.at < this.text.length; this.at++) {
      const character = this.text.charCodeAt(this.at);
      if (character === code.quote) this.#string();
      else if (character === code.openObject) this.#open(new Set());
      else if (character === code.openList) this.#open(undefined);
      else if (character === code.closeObject || character === code.closeList) this.#close();
      else if (character === code.comma) this.#next();
    }
    return [...this.duplicates];
  }

  #open(keys: Set<string> | undefined): void {
    this.levels.push({ keys, key: '', index: 0 });
    this.expectsKey = keys !== undefined;
    if (this.levels.length > this.limits.depthMax) {
      throw documentErrors.TAP_DOCUMENT_LIMIT({ message: `the document is nested deeper than ${this.limits.depthMax} levels` });
    }
  }

  #close(): void {
    this.levels.pop();
    this.expectsKey = false;
  }

  #next(): void {
    const level = this.levels.at(-1);
    if (level === undefined) return;
    level.index++;
    this.expectsKey = level.keys !== undefined;
  }

  #string(): void {
    const start = this.at;
    let end = this.text.indexOf('"', start + 1);
    while (this.#isEscaped(end, start)) end = this.text.indexOf('"', end + 1);
    this.at = end;
    if (this.expectsKey) this.#addKey(this.text.slice(start, end + 1));
  }

  /** A quote is escaped if an odd number of backslashes precedes it. */
  #isEscaped(end: number, start: number): boolean {
    let before = end - 1;
    while (before > start && this.text.charCodeAt(before) === code.backslash) before--;
    return (end - before) % 2 === 0;
  }

  #addKey(quoted: string): void {
    this.expectsKey = false;
    const level = this.levels.at(-1);
    if (level?.keys === undefined) return;
    const key: string = quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
    level.key = key;
    if (level.keys.has(key) && this.duplicates.size < duplicatesMax) this.duplicates.add(this.#path());
    level.keys.add(key);
    if (++this.keys > this.limits.keysMax) {
      throw documentErrors.TAP_DOCUMENT_LIMIT({ message: `the document has more than ${this.limits.keysMax} keys` });
    }
    if (key === '__proto__')
      throw documentErrors.TAP_DOCUMENT_LIMIT({ message: 'the document has the key "__proto__", which no object may have' });
  }

  #path(): string {
    return this.levels.reduce((path, level) => (level.keys === undefined ? itemPath(path, level.index) : fieldPath(path, level.key)), '');
  }
}
