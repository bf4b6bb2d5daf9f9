import { stat } from 'node:fs/promises';
import type { ClusterConnection } from '@tappaas/sdk';
import { readJson } from '../json-file.js';

/** The platform's address and a token, in a file that the platform rewrites whenever it starts. */
export class ConnectionFile {
  readonly #path: string;
  #known: ClusterConnection | undefined;
  #last: ClusterConnection | undefined;
  #text = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** Returns the file's content; cached until {@link forget}. @throws if other users may read the file, or it is missing or incomplete */
  async read(): Promise<ClusterConnection> {
    if (this.#known) return this.#known;
    const { mode } = await stat(this.#path);
    if ((mode & 0o077) !== 0)
      throw new Error(`${this.#path} holds a token and may be read by others: expected mode 600, found ${(mode & 0o777).toString(8)}`);
    const connection = await readJson<ClusterConnection>(this.#path);
    if (connection === undefined) throw new Error(`${this.#path} is not there or not whole`);
    // Equal content is returned as the same object, so that clients can tell that their connections are still valid.
    const text = JSON.stringify(connection);
    if (text !== this.#text) this.#last = connection;
    this.#text = text;
    this.#known = this.#last;
    return this.#known ?? connection;
  }

  /** Drops the cached content, so that the next `read` opens the file again. */
  forget(): void {
    this.#known = undefined;
  }
}
