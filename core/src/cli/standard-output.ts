import { fstatSync, writeFileSync } from 'node:fs';
import { exitCodes } from './command.js';
import type { Outlet } from './terminal.js';

/**
 * Ends a command whose output cannot be written, with an error message and a separate exit code, so that a partial dump is not mistaken for
 * a complete one. A reader that has gone (`tappaas logs -f | head`) is not an error.
 */
export function outputLost(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(
    `tappaas: what it says could not be written: ${error.message}\n  What has been written is not all of it. Make room or write elsewhere, and give the command again.\n`,
  );
  process.exit(exitCodes.output);
}

/**
 * Makes the output of a command: stream errors are reported to `lost`, and a file either receives everything or an error is reported.
 * Node's own stream counts a write as complete when a full disk accepted only a part.
 *
 * @source write(2): a write that has room for a part writes that part and is not an error
 */
export function outletTo(stream: NodeJS.WriteStream & { readonly fd: number }, lost: (error: NodeJS.ErrnoException) => void): Outlet {
  stream.on('error', lost);
  if (!fstatSync(stream.fd).isFile()) return stream;
  return {
    write: (text) => {
      try {
        writeFileSync(stream.fd, text);
      } catch (error) {
        lost(error as NodeJS.ErrnoException);
      }
    },
  };
}
