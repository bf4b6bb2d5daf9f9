import assert from 'node:assert/strict';
import { families, type AuditLine, type AuditSink, type Awaitable, type Context } from '@tappaas/sdk';
import type { Loaded } from '../load.js';
import { startMemoryKernel } from '../memory-test-kernel.js';
import type { Case } from './case.js';

/** A loaded sink and, if it cannot read lines back, a way to see what it has stored. */
export interface AuditSinkHarness {
  readonly plugin: Loaded;
  /** Texts of the stored lines, in the order in which they arrived at the sink's destination. */
  readonly kept?: () => Awaitable<readonly string[]>;
}

export type MakeAuditSink = () => Awaitable<AuditSinkHarness>;

interface SinkUnderTest extends AuditSinkHarness {
  readonly sink: AuditSink;
  readonly context: Context;
  /** Stops the kernel and starts another one with the same plugin. */
  readonly again: () => Promise<{ readonly sink: AuditSink; readonly context: Context }>;
}

const chain = 'r0';
const hash = '0'.repeat(64);
const readMax = 1_000;
const batch = 100;

function lines(from: number, count: number, of = chain, note = 'ü\\u2028'): readonly AuditLine[] {
  return Array.from({ length: count }, (_, n) => {
    const head = `{"chain":"${of}","sequence":${from + n},"previous":"${hash}","event":{"verb":"get","note":"${note}"}`;
    return { chain: of, sequence: from + n, text: `${head},"hash":"${hash}"}` };
  });
}

const longLines = (from: number, count: number, bytes: number): readonly AuditLine[] => lines(from, count, chain, 'x'.repeat(bytes));

/**
 * The conformance cases of audit sinks, for any test runner. Cases about reading lines back pass for sinks that cannot.
 *
 * @example
 * ```ts
 * for (const { title, run } of conformance.auditSink(make)) test(title, run);
 * ```
 */
export function auditSinkConformance(make: MakeAuditSink): readonly Case[] {
  return Object.entries(bodies).map(([title, body]) => ({ title, run: () => runCase(make, body) }));
}

const bodies: Readonly<Record<string, (given: SinkUnderTest) => Promise<void>>> = {
  'lines are kept as they are, in their order, when the call has resolved': async ({ sink, context, ...given }) => {
    const written = [...lines(1, batch), ...lines(batch + 1, 1)];
    await sink.write(written.slice(0, batch), context);
    await sink.write(written.slice(batch), context);
    assert.deepEqual(
      await storedBy({ ...given, sink, context }),
      written.map(({ text }) => text),
    );
  },
  'lines that were kept already are not kept twice': async ({ sink, context, ...given }) => {
    if (sink.end === undefined) return;
    await sink.write(lines(1, 10), context);
    await sink.write(lines(1, 12), context);
    await sink.write(lines(5, 3), context);
    assert.deepEqual(
      await storedBy({ ...given, sink, context }),
      lines(1, 12).map(({ text }) => text),
    );
  },
  'a write that comes while one of the same lines is under way keeps nothing twice': async ({ sink, context, ...given }) => {
    if (sink.end === undefined) return;
    await Promise.all([sink.write(lines(1, 40), context), sink.write(lines(1, 60), context), sink.write(lines(61, 5), context)]);
    assert.deepEqual(
      await storedBy({ ...given, sink, context }),
      lines(1, 65).map(({ text }) => text),
    );
  },
  'a sink that tells its end tells it after a new start, and goes on from there': async ({ sink, context, again }) => {
    if (sink.end === undefined) return;
    assert.deepEqual(await sink.end(chain, context), { tornBytes: 0 });
    await sink.write(lines(1, 10), context);
    const later = await again();
    assert.equal((await later.sink.end?.(chain, later.context))?.line?.text, lines(10, 1)[0]?.text);
    await later.sink.write(lines(11, 1), later.context);
    assert.equal((await later.sink.end?.(chain, later.context))?.line?.sequence, 11);
  },
  'a gap in the numbers is kept as it is: it is not for a sink to judge': async ({ sink, context, ...given }) => {
    await sink.write(lines(1, 2), context);
    await sink.write(lines(9, 1), context);
    assert.equal((await storedBy({ ...given, sink, context })).length, 3);
  },
  'chains of several replicas are kept apart': async ({ sink, context }) => {
    if (sink.read === undefined) return;
    await sink.write(lines(1, 3), context);
    await sink.write(lines(1, 2, 'r1'), context);
    assert.deepEqual(sequences(await readAll(sink, chain, Infinity, context)), [3, 2, 1]);
    assert.deepEqual(sequences(await readAll(sink, 'r1', Infinity, context)), [2, 1]);
    assert.deepEqual(await sink.read('r', Infinity, readMax, context), []);
    assert.deepEqual(await sink.chains?.(context), sink.chains === undefined ? undefined : [chain, 'r1']);
  },
  'reading back gives lines before a number, newest first, and not more than asked for': async ({ sink, context }) => {
    if (sink.read === undefined) return;
    assert.deepEqual(await sink.read(chain, Infinity, readMax, context), []);
    await sink.write(lines(1, 50), context);
    const some = sequences(await sink.read(chain, 20, 3, context));
    assert.deepEqual(some, [19, 18, 17].slice(0, some.length));
    assert.equal(some[0], 19);
    assert.deepEqual(
      sequences(await readAll(sink, chain, 20, context)),
      Array.from({ length: 19 }, (_, n) => 19 - n),
    );
    assert.deepEqual(await sink.read(chain, 1, readMax, context), []);
  },
  'a page ends where a line does not fit any more, and the next one begins with it': async ({ sink, context }) => {
    if (sink.read === undefined) return;
    const small = lines(1, 5);
    const large = longLines(6, 1, 130_000);
    const written = [...small, ...large, ...longLines(7, 800, 1_000)];
    await sink.write(small, context);
    await sink.write(large, context);
    await sink.write(written.slice(6), context);
    assert.deepEqual(
      sequences(await readAll(sink, chain, Infinity, context)),
      written.map((_, n) => written.length - n),
    );
  },
  'no lines are no trouble': async ({ sink, context }) => {
    assert.deepEqual(await sink.write([], context), {});
  },
};

const sequences = (found: readonly AuditLine[]): readonly number[] => found.map(({ sequence }) => sequence);

async function storedBy({ sink, context, kept }: Pick<SinkUnderTest, 'sink' | 'context' | 'kept'>): Promise<readonly string[]> {
  if (kept !== undefined) return kept();
  assert(sink.read !== undefined, 'the harness of a sink that cannot read back has to say what was kept');
  return (await readAll(sink, chain, Infinity, context)).map(({ text }) => text).toReversed();
}

/** Reads all lines before a number; a page may be shorter than requested, but is not empty while lines remain. */
async function readAll(sink: AuditSink, of: string, before: number, context: Context): Promise<readonly AuditLine[]> {
  const all: AuditLine[] = [];
  for (;;) {
    const page = (await sink.read?.(of, all.at(-1)?.sequence ?? before, readMax, context)) ?? [];
    if (page.length === 0) return all;
    all.push(...page);
  }
}

async function runCase(make: MakeAuditSink, body: (given: SinkUnderTest) => Promise<void>): Promise<void> {
  const harness = await make();
  await using stack = new AsyncDisposableStack();
  const started = async () => {
    const kernel = stack.use(await startMemoryKernel({ plugins: [harness.plugin] }));
    const sink = kernel.platform.kernel.services.family(families.auditSink).get(harness.plugin.id);
    assert(sink !== undefined, `${harness.plugin.id} provides no audit sink`);
    return { kernel, sink, context: kernel.platform.kernel.platformContext() };
  };
  const { kernel, ...first } = await started();
  const again = async () => {
    await kernel.stop();
    return started();
  };
  await body({ ...harness, ...first, again });
}
