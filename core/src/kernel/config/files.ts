import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { makeProblem } from '../errors.js';
import type { Position, Problem } from '../problem.js';
import { mergeNodes } from './merge.js';
import { nodeAt, placeOf, type ConfigNode } from './node.js';
import { parseYaml } from './yaml-file.js';

const extendsMax = 16;

/** Several files merged into one tree, where the nearest file wins; every value keeps its place. */
export interface ReadFiles {
  readonly node: ConfigNode;
  readonly problems: readonly Problem[];
}

/** Reads a configuration file and the files it extends. */
export async function readConfigFiles(file: string): Promise<ReadFiles> {
  return new Files(path.dirname(path.resolve(file))).read(path.resolve(file), []);
}

class Files {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** `from` is the place where another file names this one. */
  async read(file: string, chain: readonly string[], from?: Position): Promise<ReadFiles> {
    const shown = path.relative(this.#directory, file);
    const at = { file: shown, line: 1, column: 1 };
    const empty: ConfigNode = { kind: 'map', at, entries: new Map() };
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
      const problem =
        from === undefined
          ? makeProblem('TAP_CONFIG_UNREADABLE', '', `the file cannot be read (${reason})`, at)
          : makeProblem('TAP_CONFIG_EXTENDS_UNREADABLE', 'extends', `the file ${shown} cannot be read (${reason})`, from);
      return { node: empty, problems: [problem] };
    }
    const { node, problems } = parseYaml(text, shown);
    const base = nodeAt(node, 'extends');
    if (problems.length > 0 || base?.kind !== 'scalar' || typeof base.value !== 'string') return { node, problems };
    const next = path.resolve(path.dirname(file), base.value);
    const names = [...chain, file, next].map((name) => path.relative(this.#directory, name));
    if (chain.includes(next) || next === file || chain.length >= extendsMax) {
      const message = `the files extend each other: ${names.slice(names.indexOf(names.at(-1) ?? '')).join(' → ')}`;
      return { node, problems: [makeProblem('TAP_CONFIG_EXTENDS_CYCLE', 'extends', message, placeOf(node, 'extends'))] };
    }
    const below = await this.read(next, [...chain, file], base.at);
    return { node: mergeNodes(withoutExtends(below.node), withoutExtends(node)), problems: below.problems };
  }
}

function withoutExtends(node: ConfigNode): ConfigNode {
  if (node.kind !== 'map') return node;
  const entries = new Map(node.entries);
  entries.delete('extends');
  return { ...node, entries };
}
