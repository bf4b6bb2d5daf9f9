import type { AccessRequest, State } from '@tappaas/sdk';
import type { Forbidden } from './policy-set.js';

/** A request that policies in shadow mode would have forbidden, with the time of its last occurrence. */
export interface ShadowRecord {
  readonly time: string;
  readonly policies: readonly string[];
  /** Why a policy could not be evaluated; absent when all could. */
  readonly error?: string;
  readonly user: string;
  readonly tenant?: string;
  readonly verb: string;
  /** The object or path, such as `apps.tappaas.dev/applications shop/web`. */
  readonly about: string;
}

/** Records of one policy by request, oldest first. */
type Page = Map<string, ShadowRecord>;

/** Maximum number of records per policy; the oldest are dropped first. */
const recordsMax = 100;
/** A value in `State` may have at most 64 KiB. */
const pageBytesMax = 60 * 1024;
const textCharactersMax = 256;
const policiesMax = 4;
const retentionMs = 7 * 24 * 3_600_000;
/** Key of the records for which no policy could be evaluated. */
const nobodys = '';

const keyOf = (policy: string): string => `shadow/${policy}`;

/**
 * The latest requests that policies in shadow mode would have forbidden, from all processes of the platform,
 * deduplicated.
 *
 * A page is read, merged and written as a whole, so concurrent writers can overwrite each other's records: each process
 * keeps its unpublished records until it has read them back.
 */
export class ShadowBook {
  readonly #untold = new Map<string, Page>();

  add({ by, failed, errors }: Forbidden, request: AccessRequest, nowMs: number): void {
    const policies = [...new Set([...by, ...failed])];
    const record = recordOf(policies, errors, request, nowMs);
    for (const policy of policies.length === 0 ? [nobodys] : policies) {
      const page = this.#untold.get(policy) ?? new Map<string, ShadowRecord>();
      this.#untold.set(policy, page);
      take(page, record);
      const [oldest] = page.keys();
      if (page.size > recordsMax && oldest !== undefined) page.delete(oldest);
    }
  }

  /** Publishes this process's records to the others. */
  async share(state: State): Promise<void> {
    await Promise.all([...this.#untold].map(([policy, own]) => this.#sharePage(state, policy, own)));
  }

  /** The records of the given policies, oldest first; with a tenant, only those of its users. */
  async records(state: State, policies: readonly string[], tenant: string | undefined): Promise<readonly ShadowRecord[]> {
    await this.share(state);
    const pages = await Promise.all([nobodys, ...policies].map((policy) => readPage(state, policy)));
    const once = new Map(pages.flatMap((page) => [...page]));
    return inOrder([...once.values()].filter((record) => tenant === undefined || record.tenant === tenant));
  }

  async #sharePage(state: State, policy: string, own: Page): Promise<void> {
    const shared = await readPage(state, policy);
    const page = newest([...shared.values(), ...own.values()]);
    for (const [about, record] of own) if (shared.get(about)?.time === record.time || page.get(about) !== record) own.delete(about);
    if (own.size > 0) await state.set(keyOf(policy), [...page.values()], { ttlMs: retentionMs, scope: 'platform' });
    // A concurrent `share` may have removed this page already, and a new one may have been started since.
    else if (this.#untold.get(policy) === own) this.#untold.delete(policy);
  }
}

async function readPage(state: State, policy: string): Promise<Page> {
  const records = ((await state.get(keyOf(policy))) ?? []) as readonly ShadowRecord[];
  return new Map(records.map((record) => [identityOf(record), record]));
}

/** Moves a repeated request to the end. */
function take(page: Page, record: ShadowRecord): void {
  const about = identityOf(record);
  page.delete(about);
  page.set(about, record);
}

/** Merges records: the latest of each request, and of these the newest that fit in a page. */
function newest(records: ShadowRecord[]): Page {
  const page: Page = new Map();
  for (const record of inOrder(records)) take(page, record);
  let bytes = Buffer.byteLength(JSON.stringify([...page.values()]));
  for (const [about, record] of page) {
    if (page.size <= recordsMax && bytes <= pageBytesMax) break;
    page.delete(about);
    bytes -= Buffer.byteLength(JSON.stringify(record)) + 1;
  }
  return page;
}

const inOrder = (records: ShadowRecord[]): ShadowRecord[] => records.sort((one, other) => (one.time < other.time ? -1 : 1));

const identityOf = ({ policies, user, tenant, verb, about }: ShadowRecord): string => JSON.stringify([policies, user, tenant, verb, about]);

function recordOf(
  policies: readonly string[],
  [error]: readonly string[],
  { caller, verb, resource, path = '', engine }: AccessRequest,
  nowMs: number,
): ShadowRecord {
  const { name, tenant } = caller;
  return {
    time: new Date(nowMs).toISOString(),
    policies: policies.slice(0, policiesMax).map(short),
    ...(error !== undefined && { error: short(error) }),
    user: short(name),
    ...(tenant !== undefined && { tenant }),
    verb: short(verb),
    about: short(resource === undefined ? path : aboutObject(engine, resource)),
  };
}

function aboutObject(engine: string, { group, plural, namespace, name }: NonNullable<AccessRequest['resource']>): string {
  const place = [namespace, name].filter(Boolean).join('/');
  return `${engine === 'platform' ? '' : `${engine}: `}${group === '' ? '' : `${group}/`}${plural} ${place}`.trim();
}

const short = (text: string): string => (text.length > textCharactersMax ? `${text.slice(0, textCharactersMax - 1)}…` : text);
