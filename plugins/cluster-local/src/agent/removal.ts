import { rm } from 'node:fs/promises';

/** Removes a file or a tree; one that is not there is fine. */
export const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 });
