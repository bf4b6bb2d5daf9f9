import { DatabaseSync } from 'node:sqlite';

/**
 * Ensures that at most one agent uses a directory. The operating system releases the lock when the process ends, for whatever reason.
 *
 * SQLite serves only as a file lock: Node has no portable API for one.
 */
export class AgentLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Acquires the lock; undefined if another process holds it. */
  static take(path: string): AgentLock | undefined {
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      database.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
      return new AgentLock(database);
    } catch (error) {
      database.close();
      if ((error as Error).message.includes('locked')) return undefined;
      throw error;
    }
  }

  release(): void {
    this.#database.close();
  }
}
