/** The index of the records of decisions. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generated, row, table } from './markdown.ts';

/** Every record of the folder, by number, with the status that it says of itself. */
export async function decisionsPage(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((name) => /^\d{4}-.*\.md$/.test(name)).toSorted();
  const rows = await Promise.all(files.map(async (file) => rowOf(file, await readFile(join(folder, file), 'utf8'))));
  return `# Decisions\n\n${generated}\n\n${table(['number', 'decision', 'status'], rows)}\n`;
}

function rowOf(file: string, text: string): string {
  const [, title = ''] = /^# \d{4}: (.*)$/m.exec(text) ?? [];
  const [, status = ''] = /^(?:\*\*)?Status:(?:\*\*)? (.*)$/m.exec(text) ?? [];
  return row(`[${file.slice(0, 4)}](${file})`, title, status.replace(/\.$/, ''));
}
