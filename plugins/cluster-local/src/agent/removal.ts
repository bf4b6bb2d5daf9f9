import { rm } from 'node:fs/promises';

/** Removes a file or a directory tree, if it exists. */
export const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 });
