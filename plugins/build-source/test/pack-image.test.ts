import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { list } from 'tar';
import { IndexWriter } from '../dist/image-layout.js';
import { packImage } from '../dist/pack-image.js';

const place = await mkdtemp(join(tmpdir(), 'tappaas-pack-'));
test.after.always(() => rm(place, { recursive: true, force: true }));
const scratch = (name: string) => mkdtemp(join(place, `${name}-`));
const writer = new IndexWriter();
const request = (sourceDirectory: string, imagesDirectory: string) => ({
  sourceDirectory,
  imagesDirectory,
  application: { namespace: 'default', name: 'shop' },
  command: ['node', 'server.js'],
  signal: new AbortController().signal,
});

async function source(): Promise<string> {
  const directory = await scratch('source');
  await mkdir(join(directory, 'lib'));
  await writeFile(join(directory, 'server.js'), 'console.log(1)');
  await writeFile(join(directory, 'lib', 'a.js'), 'export {}');
  return directory;
}

const blob = (images: string, digest: string) => readFile(join(images, 'blobs', 'sha256', digest.replace('sha256:', '')));

test('the same files give the same digest, whatever their times', async (t) => {
  const [first, second, images] = [await source(), await source(), await scratch('images')];
  await utimes(join(second, 'server.js'), 1, 1);
  const a = await packImage(request(first, images), writer);
  const b = await packImage(request(second, images), writer);
  t.is(a.digest, b.digest);
  t.false(a.cached);
  t.true(b.cached);
});

test('every blob lies under the digest of its bytes', async (t) => {
  const images = await scratch('images');
  const { digest } = await packImage(request(await source(), images), writer);
  const manifest = JSON.parse(String(await blob(images, digest))) as { config: { digest: string }; layers: { digest: string }[] };
  for (const each of [digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)]) {
    t.is(
      `sha256:${createHash('sha256')
        .update(await blob(images, each))
        .digest('hex')}`,
      each,
    );
  }
});

test('the layer holds the files below /app and the config says how to start', async (t) => {
  const images = await scratch('images');
  const { digest } = await packImage(request(await source(), images), writer);
  const manifest = JSON.parse(String(await blob(images, digest))) as { config: { digest: string }; layers: { digest: string }[] };
  const config = JSON.parse(String(await blob(images, manifest.config.digest))) as { config: object };
  t.deepEqual(config.config, { Cmd: ['node', 'server.js'], WorkingDir: '/app' });
  const names: string[] = [];
  const layer = join(images, 'blobs', 'sha256', manifest.layers[0]?.digest.replace('sha256:', '') ?? '');
  list({ file: layer, sync: true, onReadEntry: (entry) => names.push(entry.path) });
  t.deepEqual(names, ['app/lib/', 'app/lib/a.js', 'app/server.js']);
});

test('two builds at once both stand in the index', async (t) => {
  const images = await scratch('images');
  const directory = await source();
  await Promise.all(
    ['a', 'b', 'c'].map((name) => packImage({ ...request(directory, images), application: { namespace: 'default', name } }, writer)),
  );
  const index = JSON.parse(await readFile(join(images, 'index.json'), 'utf8')) as { manifests: { annotations: Record<string, string> }[] };
  t.deepEqual(index.manifests.map(({ annotations }) => annotations['org.opencontainers.image.ref.name']).toSorted(), [
    'default/a',
    'default/b',
    'default/c',
  ]);
});
