import { fstatSync, writeFileSync } from 'node:fs';
import { exitCodes } from './command.js';
import type { Outlet } from './terminal.js';

/**
 * Ends a command whose output cannot be written, with a message and a code of its own: whoever keeps a dump in a file must not take a part of it for
 * all. A reader that has gone (`tappaas logs -f | head`) has what it wanted.
 */
export function outputLost(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(
    `tappaas: what it says could not be written: ${error.message}\n  What has been written is not all of it. Make room or write elsewhere, and give the command again.\n`,
  );
  process.exit(exitCodes.output);
}

/**
 * Where a command writes: errors of the stream are told to `lost`, and a file gets all or an error is told. Node's own stream takes it for written
 * when a disk that becomes full has taken only a part.
 *
 * @source write(2): a write that has room for a part writes that part and is no error
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
