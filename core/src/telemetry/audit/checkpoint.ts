import type { KeyObject } from 'node:crypto';
import { genesis, type ChainEnd } from './chain.js';
import { isSignedBy, type SigningKey } from './signing-key.js';

/** A signed statement of how far a chain had been kept at a given time. */
export interface Checkpoint extends ChainEnd {
  readonly chain: string;
  /** ISO 8601. */
  readonly at: string;
  /** How far the chain had come; more than was kept if a sink failed until the end. */
  readonly appended: number;
  /** Whether it was written by an orderly stop. */
  readonly final: boolean;
  readonly keyId: string;
}

export type CheckpointFacts = Omit<Checkpoint, 'keyId'>;

/** Serializes a checkpoint as one line of JSON; the signature covers everything before it. */
export function checkpointText({ chain, sequence, hash, at, appended, final }: CheckpointFacts, key: SigningKey): string {
  const facts = { chain, sequence, hash, at, appended, final, keyId: key.id };
  const head = JSON.stringify(facts).slice(0, -1);
  return `${head},"signature":"${key.sign(head)}"}`;
}

const form = /^(\{.*),"signature":"([A-Za-z0-9+/=]{1,128})"\}$/;

export interface ReadCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly isSignedBy: (publicKey: KeyObject) => boolean;
}

/** Parses a line of checkpoints; undefined when it is malformed. */
export function parseCheckpoint(text: string): ReadCheckpoint | undefined {
  const [, head = '', signature = ''] = form.exec(text) ?? [];
  try {
    const checkpoint = JSON.parse(`${head}}`) as Checkpoint;
    const { chain, sequence, hash, keyId, at, appended, final } = checkpoint;
    const isWhole =
      [chain, hash, keyId, at].every((part) => typeof part === 'string') &&
      hash.length === genesis.hash.length &&
      Number.isSafeInteger(sequence) &&
      Number.isSafeInteger(appended) &&
      typeof final === 'boolean';
    return isWhole ? { checkpoint, isSignedBy: (publicKey) => isSignedBy(publicKey, head, signature) } : undefined;
  } catch {
    return undefined;
  }
}
