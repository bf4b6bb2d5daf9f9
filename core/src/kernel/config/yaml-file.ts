import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type YAMLParseError } from 'yaml';
import { makeProblem } from '../errors.js';
import type { Position, Problem } from '../problem.js';
import type { ConfigNode, MapNode } from './node.js';

/** Limit on nodes: aliases may repeat a value, but a file that exceeds this is an attack or a mistake. */
const nodesMax = 100_000;
const depthMax = 64;

/** Parses a file into nodes with their places. */
export function parseYaml(text: string, file: string): { readonly node: ConfigNode; readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true, merge: false });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const problems = independent(document.errors).map((error) => makeProblem('TAP_CONFIG_SYNTAX', '', faultOf(error), at(error.pos[0])));
  if (problems.length > 0) return { node: { kind: 'map', at: at(0), entries: new Map() }, problems };
  const reader = new Reader(document, at);
  const node = document.contents === null ? { kind: 'scalar' as const, at: at(0), value: null } : reader.read(document.contents, 0);
  return { node, problems: reader.problems };
}

/** Keeps the first syntax error and duplicate keys before it; later errors are only consequences of the first. */
function independent(errors: readonly YAMLParseError[]): readonly YAMLParseError[] {
  const first = errors.find(({ code }) => code !== 'DUPLICATE_KEY');
  return errors.filter((error) => error === first || (error.code === 'DUPLICATE_KEY' && error.pos[0] < (first?.pos[0] ?? Infinity)));
}

const faults: Partial<Record<YAMLParseError['code'], string>> = {
  DUPLICATE_KEY: 'the key stands in the map before',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  BLOCK_AS_IMPLICIT_KEY: 'a second key stands in the value of one; put quotes around a text with ": ", and indent keys of a map alike',
  MULTIPLE_DOCS: 'a second document begins; expected one',
};

function faultOf({ code, message }: YAMLParseError): string {
  const known = faults[code];
  if (known !== undefined) return known;
  const reason = (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
  const [, bracket] = /end with an? ([\]}])$/.exec(reason) ?? [];
  if (bracket !== undefined) return `expected "${bracket}": the bracket opened before is not closed`;
  return /^Missing closing ["']quote$/.test(reason) ? 'a quote opened before is not closed' : reason;
}

class Reader {
  readonly problems: Problem[] = [];
  readonly #document: Document.Parsed;
  readonly #at: (offset: number) => Position;
  #nodes = 0;

  constructor(document: Document.Parsed, at: (offset: number) => Position) {
    this.#document = document;
    this.#at = at;
  }

  read(source: Node, depth: number): ConfigNode {
    const at = this.#at(source.range?.[0] ?? 0);
    this.#nodes += 1;
    if (this.#nodes > nodesMax || depth > depthMax) {
      if (this.problems.length === 0) {
        const limit = depth > depthMax ? `nested deeper than ${depthMax} levels` : `more than ${nodesMax} values once aliases are followed`;
        this.problems.push(makeProblem('TAP_CONFIG_SYNTAX', '', limit, at));
      }
      return { kind: 'scalar', at, value: null };
    }
    if (isAlias(source)) {
      const target = source.resolve(this.#document);
      return target === undefined ? { kind: 'scalar', at, value: null } : this.read(target, depth + 1);
    }
    if (isMap(source)) return this.#readMap(source.items, at, depth);
    if (isSeq(source)) return { kind: 'list', at, items: source.items.map((item) => this.read(item as Node, depth + 1)) };
    return { kind: 'scalar', at, value: this.#scalar(source, at) };
  }

  #readMap(items: readonly { key: unknown; value: unknown }[], at: Position, depth: number): MapNode {
    const entries = new Map<string, { keyAt: Position | undefined; node: ConfigNode }>();
    for (const { key, value } of items) {
      const keyAt = this.#at((key as Node).range?.[0] ?? 0);
      const name = isScalar(key) ? String(key.value) : undefined;
      if (name === undefined || name === '__proto__') {
        this.problems.push(makeProblem('TAP_CONFIG_SYNTAX', '', 'a key is not plain text', keyAt));
        continue;
      }
      const node: ConfigNode = value === null ? { kind: 'scalar', at: keyAt, value: null } : this.read(value as Node, depth + 1);
      entries.set(name, { keyAt, node });
    }
    return { kind: 'map', at, entries };
  }

  #scalar(source: Node, at: Position): string | number | boolean | null {
    const value: unknown = isScalar(source) ? source.value : null;
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
    this.problems.push(makeProblem('TAP_CONFIG_SYNTAX', '', `a value of type ${typeof value} cannot stand in a configuration`, at));
    return null;
  }
}
