import { storeErrors, TapError } from '@tappaas/sdk/store';

/** SQLite's primary result codes about the disk. */
const codes = { busy: 5, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notDatabase: 26 } as const;

/** SQLite's primary result code, if the error has one. */
export function sqliteCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === codes.busy;
}

/**
 * Converts an error of SQLite to one of the store.
 *
 * `committing`: it occurred while the batch was committed. A full disk leaves no commit mark, so nothing happened. After any other I/O
 * error the mark may or may not be on the disk, which only a new start after a crash would reveal.
 */
export function diskFault(error: unknown, file: string, committing = false): TapError {
  if (error instanceof TapError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  switch (sqliteCode(error)) {
    case codes.full:
      return storeErrors.TAP_STORE_READ_ONLY({ message: `the disk of ${file} is full`, cause: error });
    case codes.ioError:
      if (committing) {
        return storeErrors.TAP_STORE_OUTCOME_UNKNOWN({
          message: `the disk of ${file} failed while a batch was made durable: ${reason}`,
          cause: error,
        });
      }
      return storeErrors.TAP_STORE_READ_ONLY({ message: `the disk of ${file} failed: ${reason}`, cause: error });
    case codes.busy:
      return storeErrors.TAP_STORE_READ_ONLY({ message: `another program writes ${file}`, cause: error });
    case codes.readOnly:
    case codes.cantOpen:
      return storeErrors.TAP_STORE_READ_ONLY({ message: `${file} cannot be written: ${reason}`, cause: error });
    case codes.corrupt:
    case codes.notDatabase:
      return storeErrors.TAP_STORE_CORRUPT({ message: `${file} is damaged: ${reason}`, cause: error });
    default:
      return storeErrors.TAP_STORE_UNAVAILABLE({ message: `the writer of ${file} failed: ${reason}`, cause: error });
  }
}
