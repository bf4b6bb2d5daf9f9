import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditTable, csvHead, csvLine } from '../audit-table.js';
import type { AuditItem, AuditTools, AuditVerdict } from '../audit-tools.js';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { print, printEach } from '../print.js';
import { isPassing } from '../until-answered.js';

const filters: Readonly<Record<string, string>> = {
  user: 'user',
  verb: 'verb',
  resource: 'resource',
  in: 'namespace',
  name: 'name',
  request: 'requestId',
  tenant: 'tenant',
  code: 'code',
};
const pageMax = 1_000;
const tailDefault = 20;
const searchDefault = 100;
const pollMs = 1_000;

/** `tappaas audit tail|search|verify|export` */
export async function audit(invocation: Invocation): Promise<number> {
  const [what] = invocation.positionals;
  if (what === 'tail') return tail(invocation);
  if (what === 'search') return search(invocation);
  if (what === 'verify') return verify(invocation);
  if (what === 'export') return exportAll(invocation);
  throw new CliError(`"${what ?? ''}" is none of tail, search, verify and export`, {
    remedy: 'Write tappaas audit tail.',
    exitCode: exitCodes.usage,
  });
}

async function search(invocation: Invocation): Promise<number> {
  const found = await collect(invocation, limitOf(invocation) ?? searchDefault);
  await print(invocation, found, () => (found.length === 0 ? 'Nothing of that kind is recorded.\n' : auditTable(found)));
  return exitCodes.ok;
}

async function tail(invocation: Invocation): Promise<number> {
  const { terminal, options } = invocation;
  const reached = new Map<string, number>();
  const found = (await collect(invocation, limitOf(invocation) ?? tailDefault, reached)).toReversed();
  if (options['follow'] !== true) {
    await print(invocation, found, () => auditTable(found));
    return exitCodes.ok;
  }
  if (options['directory'] !== undefined) {
    throw new CliError('files are not followed', {
      remedy: 'Follow the running platform, without --directory.',
      exitCode: exitCodes.usage,
    });
  }
  if (invocation.output === 'table' || invocation.output === 'wide') terminal.stdout.write(auditTable(found));
  else for (const item of found) await printEach(invocation, item, () => '');
  for (;;) {
    await sleep(pollMs);
    for (const item of await news(invocation, reached).catch(passing))
      await printEach(invocation, item, () => auditTable([item]).split('\n').slice(1).join('\n'));
  }
}

/** Ignores a temporary failure of the platform; what it records meanwhile is shown once it responds again. */
function passing(error: unknown): readonly AuditItem[] {
  if (isPassing(error)) return [];
  throw error;
}

/** Whether an event is a read of the log itself, which is recorded too; showing it would produce endless output. */
function isReading({ requestURI, responseStatus }: AuditItem['event']): boolean {
  return /^\/audit(?:\/chains$|\?)/.test(requestURI) && responseStatus?.code === 200;
}

/** Returns the events since the last call, oldest first; `reached` records the position. */
async function news(invocation: Invocation, reached: Map<string, number>): Promise<readonly AuditItem[]> {
  const fresh: AuditItem[] = [];
  const ends = new Map(reached);
  for (const chain of await chainsOf(invocation)) {
    const after = reached.get(chain) ?? 0;
    for await (const { items, newest = 0 } of pages(invocation, { chain, after: String(after) })) {
      fresh.push(...items.filter(({ event }) => !isReading(event)));
      ends.set(chain, Math.max(ends.get(chain) ?? 0, newest));
    }
  }
  // Update the positions only now, so that the events of an attempt that fails halfway are fetched again.
  for (const [chain, end] of ends) reached.set(chain, end);
  return newestFirst(fresh).toReversed();
}

/** Exports all matching events as they arrive: newest first from the platform, in file order from files. */
async function exportAll(invocation: Invocation): Promise<number> {
  const { stdout } = invocation.terminal;
  const isCsv = invocation.options['csv'] === true;
  let left = limitOf(invocation) ?? Infinity;
  if (isCsv) stdout.write(csvHead);
  for await (const item of everything(invocation)) {
    if (left <= 0) break;
    left -= 1;
    if (isCsv) stdout.write(csvLine(item));
    else await printEach(invocation, item, () => `${JSON.stringify(item)}\n`);
  }
  return exitCodes.ok;
}

async function verify(invocation: Invocation): Promise<number> {
  const { terminal, options } = invocation;
  const tools = await terminal.audit();
  const directory = resolve(terminal.cwd, text(options['directory']) ?? 'data/audit');
  const { texts: inFiles, keys } = await tools
    .readCheckpointDirectory(resolve(terminal.cwd, text(options['checkpoints']) ?? 'data/audit-checkpoints'))
    .catch(unreadable);
  const key = text(options['key']);
  const trusted = key === undefined ? keys : [await readFile(resolve(terminal.cwd, key), 'utf8').catch(unreadable)];
  const texts = [...inFiles, ...(await storedCheckpoint(invocation))];
  const named = texts.flatMap((line) => /^\{"chain":"([A-Za-z0-9-]{1,63})"/.exec(line)?.[1] ?? []);
  const chains = [...new Set([...(await tools.chainsIn(directory).catch(unreadable)), ...named])].toSorted();
  const verdicts = await Promise.all(
    chains.map(async (chain) => ({
      chain,
      ...(await tools.verifyChain(chain, { lines: tools.linesIn(directory, chain), checkpoints: texts, keys: trusted })),
    })),
  );
  await print(invocation, verdicts, () =>
    verdicts.length === 0 ? `There is no audit log in ${directory}.\n` : verdicts.map(described).join(''),
  );
  const isVouched = ({ vouchedTo }: AuditVerdict): boolean => options['require-checkpoints'] !== true || vouchedTo > 0;
  const isGood = verdicts.length > 0 && verdicts.every((verdict) => verdict.bad === undefined && isVouched(verdict));
  return isGood ? exitCodes.ok : exitCodes.failed;
}

/** Reads the checkpoint in the platform's store, which is not affected if the files have been truncated. */
async function storedCheckpoint(invocation: Invocation): Promise<readonly string[]> {
  if (invocation.options['platform'] !== true) return [];
  const found = await (await invocation.client()).json<{ readonly text?: string }>('/audit/checkpoint');
  return found?.text === undefined ? [] : [found.text];
}

function described({ chain, lines, first, last, vouchedTo, bad, notes }: AuditVerdict & { readonly chain: string }): string {
  const verdict =
    bad === undefined
      ? `${vouchedTo === 0 ? 'UNVOUCHED' : 'good'}: ${lines} lines, ${first ?? 0} to ${last ?? 0}, vouched for ${vouchedTo === 0 ? 'by nothing' : `up to ${vouchedTo}`}`
      : `BAD at line ${bad.sequence}: ${bad.message}`;
  return `${chain}   ${verdict}\n${notes.map((note) => `    ${note}\n`).join('')}`;
}

/** Collects events of all chains, newest first. `reached` receives the number of the newest line scanned in each chain. */
async function collect(invocation: Invocation, limit: number, reached = new Map<string, number>()): Promise<readonly AuditItem[]> {
  const isBackwards = directoryOf(invocation) === undefined;
  const found: AuditItem[] = [];
  for (const chain of await requestedChains(invocation)) {
    const own: AuditItem[] = [];
    for await (const item of itemsOf(invocation, chain, reached)) {
      if (own.push(item) >= limit && isBackwards) break;
      if (own.length > limit) own.shift();
    }
    found.push(...own);
  }
  return newestFirst(found).slice(0, limit);
}

function newestFirst(items: readonly AuditItem[]): readonly AuditItem[] {
  const place = ({ event, chain, sequence }: AuditItem) => `${event.stageTimestamp} ${chain} ${String(sequence).padStart(16, '0')}`;
  return items
    .map((item) => ({ item, at: place(item) }))
    .toSorted((a, b) => (a.at < b.at ? 1 : -1))
    .map(({ item }) => item);
}

async function* everything(invocation: Invocation): AsyncGenerator<AuditItem> {
  for (const chain of await requestedChains(invocation)) yield* itemsOf(invocation, chain, new Map());
}

async function requestedChains(invocation: Invocation): Promise<readonly string[]> {
  const directory = directoryOf(invocation);
  return directory === undefined ? chainsOf(invocation) : (await invocation.terminal.audit()).chainsIn(directory).catch(unreadable);
}

/** Returns the chains that the platform can search, one per replica. */
async function chainsOf(invocation: Invocation): Promise<readonly string[]> {
  return (await (await invocation.client()).json<{ readonly items: readonly string[] }>('/audit/chains'))?.items ?? [];
}

/**
 * Yields audit items: from the platform newest first, from files oldest first. `reached` receives the number of the newest line scanned on
 * the platform.
 */
async function* itemsOf(invocation: Invocation, chain: string, reached: Map<string, number>): AsyncGenerator<AuditItem> {
  const directory = directoryOf(invocation);
  if (directory === undefined) {
    for await (const { items, newest = 0 } of pages(invocation, { chain })) {
      // Only the first page starts at the newest line.
      if (!reached.has(chain)) reached.set(chain, newest);
      yield* items;
    }
    return;
  }
  const tools = await invocation.terminal.audit();
  const { query } = queried(tools, parametersOf(invocation));
  for await (const line of tools.linesIn(directory, chain)) {
    const found = tools.foundIn(line, query);
    if (found !== undefined) yield found;
  }
}

function directoryOf({ options, terminal }: Invocation): string | undefined {
  const directory = text(options['directory']);
  return directory === undefined ? undefined : resolve(terminal.cwd, directory);
}

async function* pages(invocation: Invocation, range: Readonly<Record<string, string>>): AsyncGenerator<Page> {
  for (let before: number | undefined = Infinity; before !== undefined;) {
    const page: Page = await pageOf(invocation, {
      ...range,
      limit: String(pageMax),
      ...(Number.isFinite(before) && { before: String(before) }),
    });
    yield page;
    ({ before } = page);
  }
}

interface Page {
  readonly items: readonly AuditItem[];
  readonly before?: number;
  readonly newest?: number;
}

async function pageOf(invocation: Invocation, range: Readonly<Record<string, string>>): Promise<Page> {
  const query = new URLSearchParams({ ...parametersOf(invocation), ...range });
  return (await (await invocation.client()).json<Page>(`/audit?${query.toString()}`)) ?? { items: [] };
}

function queried(tools: AuditTools, parameters: Readonly<Record<string, string>>): { readonly query: object } {
  try {
    return tools.auditQuery(parameters);
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error), {
      remedy: 'tappaas audit --help lists the options.',
      exitCode: exitCodes.usage,
    });
  }
}

function parametersOf({ options, terminal }: Invocation): Readonly<Record<string, string>> {
  const requested = Object.entries(filters).flatMap(([option, parameter]) => {
    const value = text(options[option]);
    return value === undefined ? [] : [[parameter, value] as const];
  });
  const times = ['since', 'until'].flatMap((option) => {
    const value = text(options[option]);
    return value === undefined ? [] : [[option, moment(option, value, terminal.nowMs())] as const];
  });
  return Object.fromEntries([...requested, ...times]);
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Converts a relative time: `2h` is two hours ago. */
function moment(option: string, value: string, nowMs: number): string {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(value) ?? [];
  if (count !== undefined) return new Date(nowMs - Number(count) * (units[unit] ?? 0)).toISOString();
  if (!Number.isNaN(Date.parse(value))) return value;
  throw new CliError(`--${option} ${value}: expected a time, or how long ago it was`, {
    remedy: `Write --${option} 2h, 30m or 7d, or a time as in ISO 8601, such as 2026-01-31T08:00:00Z.`,
    exitCode: exitCodes.usage,
  });
}

function limitOf({ options }: Invocation): number | undefined {
  const value = text(options['limit']);
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new CliError(`--limit ${value}: expected a number from 1 on`, { remedy: 'Write --limit 50.', exitCode: exitCodes.usage });
}

function text(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function unreadable(error: unknown): never {
  const { code, path, message } = error as NodeJS.ErrnoException;
  throw new CliError(code === 'ENOENT' ? `there is no ${path}` : message, {
    remedy:
      'The platform makes its directories at its first start. Name others with --directory and --checkpoints, and run it as the user who owns them.',
    exitCode: exitCodes.failed,
    cause: error,
  });
}
