import { appendFile, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { RotatingLines, type FileCalls } from '../../../dist/telemetry/audit/rotating-lines.js';

const scratch = await mkdtemp(join(tmpdir(), 'rotating-lines-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const newPath = async () => join(await mkdtemp(join(scratch, 'case-')), 'r0.checkpoints');
const linesOf = async (path: string) => (await readFile(path, 'utf8')).split('\n').slice(0, -1);
const full = (): Error => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

test('a file that is large is followed by a new one, and the one before stays', async (t) => {
  const path = await newPath();
  const lines = await RotatingLines.open(path, 5);
  for (const line of ['one', 'two', 'three', 'four', 'five']) await lines.append(line);
  await lines.close();
  t.deepEqual([await linesOf(`${path}.old`), await linesOf(path)], [['three'], ['four', 'five']]);
  const again = await RotatingLines.open(path, 50);
  await again.append('six');
  await again.close();
  t.deepEqual(await linesOf(path), ['four', 'five', 'six']);
});

test('whichever step of the change to a new file fails, no line is lost, and the change comes later', async (t) => {
  for (const [step, failsAt] of [1, 2, 3].entries()) {
    const path = await newPath();
    let calls = 0;
    let isChanging = false;
    const failing = <P extends readonly unknown[], R>(call: (...parameters: P) => Promise<R>) => {
      return async (...parameters: P): Promise<R> => {
        if (isChanging && (calls += 1) === failsAt) throw full();
        return call(...parameters);
      };
    };
    const files: FileCalls = { open: failing(open), rename: failing(rename) };
    const lines = await RotatingLines.open(path, 5, files);
    await lines.append('one');
    await lines.append('two');
    isChanging = true;
    await lines.append('three');
    isChanging = false;
    await lines.append('four');
    await lines.append('five');
    await lines.close();
    t.deepEqual(
      [await linesOf(`${path}.old`), await linesOf(path)],
      [
        ['one', 'two', 'three'],
        ['four', 'five'],
      ],
      `step ${step + 1}`,
    );
  }
});

test('a line of which only a piece was written is not glued to the next one', async (t) => {
  const path = await newPath();
  let bytesLeft = 1000;
  const files: FileCalls = {
    rename,
    async open(...parameters) {
      const file = await open(...parameters);
      const write = async (bytes: Buffer, from: number) => {
        if (bytesLeft === 0) throw full();
        const { bytesWritten } = await file.write(bytes, from, Math.min(bytesLeft, bytes.length - from));
        bytesLeft -= bytesWritten;
        return { bytesWritten, buffer: bytes };
      };
      return Object.assign(Object.create(file) as typeof file, { write });
    },
  };
  const lines = await RotatingLines.open(path, 1000, files);
  await lines.append('one');
  bytesLeft = 2;
  await t.throwsAsync(lines.append('two'), { code: 'ENOSPC' });
  bytesLeft = 1000;
  await lines.append('three');
  await lines.close();
  t.deepEqual(await linesOf(path), ['one', 'tw', 'three']);
  await appendFile(path, 'fo');
  const again = await RotatingLines.open(path, 1000);
  await again.append('five');
  await again.close();
  t.deepEqual(await linesOf(path), ['one', 'tw', 'three', 'fo', 'five']);
});
