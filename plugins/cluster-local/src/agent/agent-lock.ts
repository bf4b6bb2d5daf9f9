import { DatabaseSync } from 'node:sqlite';

/**
 * Makes sure that one agent works in a directory. The operating system lets go of the lock when its holder ends, however it ends.
 *
 * SQLite is used for nothing but its file lock: Node has no other way to one on all systems.
 */
export class AgentLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Takes the lock; nothing when another process holds it. */
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
