import { createPublicKey } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFile } from '@tappaas/sdk/durable-file';
import { checkpointText, parseCheckpoint, type Checkpoint, type CheckpointFacts } from './checkpoint.js';
import { RotatingLines } from './rotating-lines.js';
import type { SigningKey } from './signing-key.js';

/** A second place for the latest checkpoint, such as the store. */
export interface CheckpointRecord {
  load(): Promise<{ readonly text: string } | undefined>;
  save(value: { readonly text: string }): Promise<void>;
}

export interface CheckpointOptions {
  readonly directory: string;
  readonly chain: string;
  readonly key: SigningKey;
  readonly record?: CheckpointRecord;
}

const fileBytesMax = 16 * 1024 * 1024;

/** The checkpoints of one chain: lines of a file in a directory of their own, and the latest also in a second place. */
export class CheckpointFiles {
  readonly #options: CheckpointOptions;
  readonly #lines: RotatingLines;
  #last: Checkpoint | undefined;
  /** Whether the last checkpoint is signed with this key, or stored in the second place. */
  readonly isVouched: boolean;

  private constructor(options: CheckpointOptions, lines: RotatingLines, found: readonly Found[]) {
    this.#options = options;
    this.#lines = lines;
    const last = latest(found);
    this.#last = last;
    this.isVouched = found.some(({ checkpoint, isBelieved }) => isBelieved && last !== undefined && isSame(checkpoint, last));
  }

  static async open(options: CheckpointOptions): Promise<CheckpointFiles> {
    const { directory, chain, key, record } = options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await createFile(join(directory, `${key.id}.pem`), key.publicPem);
    const path = join(directory, `${chain}.checkpoints`);
    const inFile = (await lastIn(path)) ?? (await lastIn(`${path}.old`));
    const inRecord = await record?.load();
    const lines = await RotatingLines.open(path, fileBytesMax);
    const publicKey = createPublicKey(key.publicPem);
    const found = [inFile, inRecord?.text].flatMap((text, index) => {
      const read = parseCheckpoint(text ?? '');
      if (read === undefined) return [];
      const { checkpoint, isSignedBy } = read;
      return [{ checkpoint, isBelieved: checkpoint.chain === chain && (index === 1 || isSignedBy(publicKey)) }];
    });
    return new CheckpointFiles(options, lines, found);
  }

  /** The checkpoint that reaches furthest, in either place. */
  get last(): Checkpoint | undefined {
    return this.#last;
  }

  /** Writes a checkpoint; resolves once it is on disk. Calls must not overlap. */
  async write(facts: CheckpointFacts): Promise<void> {
    const text = checkpointText(facts, this.#options.key);
    await this.#lines.append(text);
    this.#last = { ...facts, keyId: this.#options.key.id };
    await this.#options.record?.save({ text });
  }

  async close(): Promise<void> {
    await this.#lines.close();
  }
}

/** Returns the text of the last checkpoint in a file, which may not exist or may have been created just now. */
async function lastIn(path: string): Promise<string | undefined> {
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  return lines.findLast((line) => parseCheckpoint(line) !== undefined);
}

interface Found {
  readonly checkpoint: Checkpoint;
  readonly isBelieved: boolean;
}

function latest(found: readonly Found[]): Checkpoint | undefined {
  return found.map(({ checkpoint }) => checkpoint).toSorted((a, b) => b.sequence - a.sequence)[0];
}

function isSame(one: Checkpoint, other: Checkpoint): boolean {
  return one.sequence === other.sequence && one.hash === other.hash && one.final === other.final;
}

/** Reads the checkpoints and public keys in a directory, for verification. */
export async function readCheckpointDirectory(
  directory: string,
): Promise<{ readonly texts: readonly string[]; readonly keys: readonly string[] }> {
  const names = await readdir(directory);
  const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
  const files = await Promise.all(names.filter((name) => /\.checkpoints(\.old)?$/.test(name)).map(read));
  const keys = await Promise.all(names.filter((name) => name.endsWith('.pem')).map(read));
  return { texts: files.flatMap((text) => text.split('\n')).filter((line) => line !== ''), keys };
}
