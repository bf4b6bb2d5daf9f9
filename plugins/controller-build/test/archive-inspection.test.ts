import { gzipSync } from 'node:zlib';
import test from 'ava';
import { Header } from 'tar';
import { inspectArchive } from '../dist/archive-inspection.js';

const limits = { unpackedBytesMax: 1024 * 1024, entriesMax: 100 };

/** A gzipped tar with the given headers, unchecked. */
function archive(entries: readonly { path: string; type?: string; linkpath?: string; body?: Buffer }[]): Buffer {
  const blocks = entries.flatMap(({ path, type = 'File', linkpath, body = Buffer.alloc(0) }) => {
    const header = Buffer.alloc(512);
    new Header({ path, type: type as 'File', linkpath, size: body.length, mode: 0o644 }).encode(header, 0);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

const refused = { code: 'CONTROLLER_BUILD_ARCHIVE_REFUSED' };

test('ordinary files, folders and links inside the folder are taken', async (t) => {
  const entries = [
    { path: 'src/', type: 'Directory' },
    { path: 'src/a.js', body: Buffer.from('1') },
    { path: 'b.js', type: 'SymbolicLink', linkpath: 'src/a.js' },
  ];
  await t.notThrowsAsync(inspectArchive(archive(entries), limits));
});

for (const path of ['../evil', 'a/../../evil', '/etc/passwd', 'a\\..\\evil']) {
  test(`an entry named ${path} is refused by name`, async (t) => {
    const error = await t.throwsAsync(inspectArchive(archive([{ path }]), limits), refused);
    t.true(error.message.includes(path));
  });
}

for (const [type, linkpath] of [
  ['SymbolicLink', '/etc/passwd'],
  ['SymbolicLink', '../../outside'],
  ['Link', 'a.js'],
  ['CharacterDevice', undefined],
  ['FIFO', undefined],
] as const) {
  test(`a ${type} to ${linkpath ?? 'nothing'} is refused`, async (t) => {
    await t.throwsAsync(inspectArchive(archive([{ path: 'entry', type, ...(linkpath ? { linkpath } : {}) }]), limits), refused);
  });
}

for (const [what, entries] of [
  ['a file that has entries below it', [{ path: 'a' }, { path: 'a/b' }]],
  ['a file far above of an entry', [{ path: 'a' }, { path: 'a/b/c/d' }]],
  ['a folder that is a file, too', [{ path: 'a/b' }, { path: 'a' }]],
  ['a folder after a file of its name', [{ path: './a' }, { path: 'a/', type: 'Directory' }]],
  ['an entry below a link', [{ path: 'a', type: 'SymbolicLink', linkpath: 'b' }, { path: 'a/c' }]],
] as const) {
  test(`${what} is refused by name`, async (t) => {
    const error = await t.throwsAsync(inspectArchive(archive(entries), limits), refused);
    t.regex(error.message, /entry "[^"]+"/);
  });
}

test('a folder may be named again, and a file', async (t) => {
  const entries = [{ path: 'a/', type: 'Directory' }, { path: 'a/b' }, { path: 'a', type: 'Directory' }, { path: 'a/b' }];
  await t.notThrowsAsync(inspectArchive(archive(entries), limits));
});

test('a bomb is stopped while it unpacks, not after', async (t) => {
  const bomb = archive([{ path: 'zeros', body: Buffer.alloc(64 * 1024 * 1024) }]);
  t.true(bomb.length < limits.unpackedBytesMax);
  await t.throwsAsync(inspectArchive(bomb, limits), { code: 'CONTROLLER_BUILD_ARCHIVE_TOO_LARGE', message: /unpackedBytesMax/ });
});

test('more entries than the limit are refused by the name of the limit', async (t) => {
  const many = Array.from({ length: 101 }, (_, index) => ({ path: `f${index}` }));
  await t.throwsAsync(inspectArchive(archive(many), limits), { code: 'CONTROLLER_BUILD_ARCHIVE_TOO_LARGE', message: /entriesMax/ });
});

for (const [what, bytes] of [
  ['what is no gzip', Buffer.from('hello')],
  ['what is gzip but no tar', gzipSync(Buffer.alloc(2048, 7))],
  ['an empty archive', gzipSync(Buffer.alloc(1024))],
  ['an archive cut short', archive([{ path: 'a', body: Buffer.alloc(4096, 1) }]).subarray(0, 30)],
] as const) {
  test(`${what} is refused`, async (t) => {
    await t.throwsAsync(inspectArchive(bytes, limits), refused);
  });
}
