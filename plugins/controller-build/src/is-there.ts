import { access } from 'node:fs/promises';

/** Whether a path exists. @throws any error other than that it does not exist */
export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
