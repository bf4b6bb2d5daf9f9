import { createPublicKey } from 'node:crypto';
import { parseCheckpoint, type Checkpoint } from './checkpoint.js';
import { keyId } from './signing-key.js';

/** Checkpoints with a valid signature of a trusted key, in line order, and notes about the others. */
export interface TrustedCheckpoints {
  readonly checkpoints: readonly Checkpoint[];
  readonly notes: readonly string[];
}

/** Accepts only checkpoints signed by a trusted key; `keys` are PEM. */
export function trustedCheckpoints(texts: readonly string[], keys: readonly string[]): TrustedCheckpoints {
  const trusted = new Map(keys.map((pem) => createPublicKey(pem)).map((key) => [keyId(key), key]));
  const checkpoints: Checkpoint[] = [];
  const notes = new Set<string>();
  for (const text of texts) {
    const read = parseCheckpoint(text);
    const key = read && trusted.get(read.checkpoint.keyId);
    if (read === undefined) notes.add('a line among the checkpoints is none: it was cut off by a crash, or edited');
    else if (key === undefined)
      notes.add(`checkpoints are signed by the key ${read.checkpoint.keyId}, which is not trusted here; they count for nothing`);
    else if (read.isSignedBy(key)) checkpoints.push(read.checkpoint);
    else notes.add(`the checkpoint of line ${read.checkpoint.sequence} has a wrong signature: it was edited, and counts for nothing`);
  }
  return { checkpoints: checkpoints.toSorted((a, b) => a.sequence - b.sequence), notes: [...notes] };
}
