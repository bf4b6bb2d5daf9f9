import { createHash } from 'node:crypto';
import type { LogPlace } from '@tappaas/sdk/log';
import { graphqlErrors } from '../errors.js';

/** Position reached in the log of a pod; `tail`: nothing was sent yet, and the subscription begins with its last lines. */
export type PodProgress = LogPlace | 'tail';

const charactersMax = 64 * 1024;
const entry = /^([\w-]{11}) (?:tail|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,20})?(?:Z|[+-]\d\d:\d\d)) ([0-9a-z]{1,7}) (\d{1,9}))$/;

/** Hashes a name or uid to 11 characters, so that a cursor with a hundred pods stays short. */
export function shortId(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 11);
}

/**
 * The positions reached in the logs of an application's pods. A pod without an entry is read from its first line, so new pods need no
 * entry.
 */
export class LogCursor {
  readonly #subject: string;
  readonly #entries = new Map<string, string>();

  /** `subject` identifies what is followed: a cursor is only valid for its own subject. */
  constructor(subject: string) {
    this.#subject = shortId(subject);
  }

  /** @throws TAP_GRAPHQL_ARGUMENT_INVALID for text that is not a cursor, or is the cursor of another subject */
  static parse(text: string, subject: string): { readonly cursor: LogCursor; readonly progress: ReadonlyMap<string, PodProgress> } {
    if (text.length > charactersMax) throw invalid(`at most ${charactersMax} characters, found ${text.length}`);
    const [head, ...lines] = Buffer.from(text, 'base64url').toString('latin1').split('\n');
    const cursor = new LogCursor(subject);
    if (head === undefined || !/^[\w-]{11}$/.test(head)) throw invalid('the cursor of a line, found something else');
    if (head !== cursor.#subject) throw invalid('a cursor of the same application and process, found that of another');
    const progress = new Map(lines.map((line) => parsedEntry(line)));
    for (const [pod, reached] of progress) cursor.set(pod, reached);
    return { cursor, progress };
  }

  set(pod: string, progress: PodProgress): void {
    this.#entries.set(pod, progress === 'tail' ? tailEntry(pod) : `${pod} ${progress.time} ${progress.first} ${progress.count}`);
  }

  /** The last lines of a pod were all sent. If there were none, its next line is the first one. */
  endTail(pod: string): void {
    if (this.#entries.get(pod) === tailEntry(pod)) this.drop(pod);
  }

  /** Of a pod that is gone. */
  drop(pod: string): void {
    this.#entries.delete(pod);
  }

  toString(): string {
    return Buffer.from([this.#subject, ...this.#entries.values()].join('\n'), 'latin1').toString('base64url');
  }
}

const tailEntry = (pod: string): string => `${pod} tail`;

function parsedEntry(line: string): readonly [string, PodProgress] {
  const [, pod, time, first = '', count] = entry.exec(line) ?? [];
  if (pod === undefined || (time !== undefined && Number.isNaN(Date.parse(time)))) {
    throw invalid('the whole cursor of a line, found a part of one, or a changed one');
  }
  return [pod, time === undefined ? 'tail' : { time, first, count: Number(count) }];
}

function invalid(problem: string): Error {
  return graphqlErrors.TAP_GRAPHQL_ARGUMENT_INVALID({ field: 'since', message: `since: expected ${problem}` });
}
