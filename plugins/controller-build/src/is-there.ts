import { access } from 'node:fs/promises';

/** Whether a path leads to something. @throws what is wrong besides that there is nothing */
export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
