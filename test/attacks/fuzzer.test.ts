/** Requests generated from the platform's own OpenAPI documents: every response is one that the document describes. */
import { Agent, request } from 'node:https';
import test, { type ExecutionContext } from 'ava';
import { sample } from 'fast-check';
import { everyPlugin } from '../every-plugin.ts';
import { isCi } from '../is-ci.ts';
import { call, eventually, type Connection } from '../platform-process.ts';
import { seedOf } from '../seed.ts';
import { AnswerCheck, isWatch, type FuzzAnswer } from './answer-check.ts';
import { KnownVersions } from './known-versions.ts';
import { reasonNeverAnswered } from './never-answered.ts';
import { operationsOf, type Document, type Operation } from './openapi-document.ts';
import { fittingRequestOf, requestsOf, type FuzzRequest } from './openapi-requests.ts';
import { Values } from './openapi-values.ts';
import { names, namespace, otherNamespace } from './openapi-texts.ts';
import { make, runPlatform } from './running-platform.ts';

const isLong = process.env['TAPPAAS_LONG'] === '1';
/** A group is a document: one group and version of one API server. Who runs everything at their desk is not kept waiting for minutes. */
const requestsOfGroup = isLong || isCi ? 10_000 : 75;
/** Most requests of a developer are refused before they are processed. */
const requestsOfDeveloper = Math.ceil(requestsOfGroup / 20);
/** Only groups whose name has this in it, to look at one again. */
const onlyGroups = process.env['TAPPAAS_GROUP'] ?? '';
const atOnce = 8;
const answerMsMax = 60_000;
const problemsMax = 20;
/** Requests to an operation that has not succeeded yet, each together with a creation. */
const fittingTriesMax = 24;
const cluster = '/clusters/local';
/** In everything that the other tenant has, and in nothing that is sent. */
const canary = 'canary-4f1d9c07';
const tenantOf = 'impersonate-extra-tappaas.dev%2ftenant';
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const ours = '/apis/platform.tappaas.dev/v1alpha1';

/** The callers. */
interface Asking {
  readonly headers: Readonly<Record<string, string>>;
  /** In no answer. */
  readonly hidden?: string;
}

const administrator: Asking = { headers: {} };
const developer: Asking = { headers: { 'impersonate-user': 'dora', [tenantOf]: 'acme' }, hidden: canary };

let connection: Connection;
const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
const undo: (() => unknown)[] = [() => agent.destroy()];

test.before('a platform runs', async (t) => {
  t.timeout(180_000);
  const every = await everyPlugin();
  undo.push(() => every.close());
  const unlimited = { perSecond: 1_000_000, burst: 1_000_000 };
  const running = await runPlatform(every.plugins, {
    api: { port: 0, flow: { tenant: unlimited, user: unlimited } },
  });
  undo.push(() => running.stop());
  connection = running.connection;
  for (const name of [namespace, otherNamespace]) {
    await make(connection, `${cluster}/api/v1/namespaces`, { metadata: { name, labels: { 'tappaas.dev/namespace': name } } });
  }
  await make(connection, '/api/v1/namespaces', { metadata: { name: namespace, labels: { 'tappaas.dev/tenant': 'acme' } } });
  await make(connection, `${rbac}/namespaces/${namespace}/rolebindings`, {
    metadata: { name: 'developers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'developer' },
    subjects: [{ kind: 'User', name: 'dora', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  await makeRival();
});

test.after.always('the platform is stopped', async () => {
  for (const stop of undo.toReversed()) await stop();
});

/** Objects of another tenant under the requested names. */
async function makeRival(): Promise<void> {
  const labels = { 'tappaas.dev/tenant': 'rival' };
  const annotations = { note: canary };
  await make(connection, '/api/v1/namespaces', { metadata: { name: otherNamespace, labels, annotations } });
  for (const name of names) {
    const metadata = { name, annotations };
    const within = `namespaces/${otherNamespace}`;
    for (const mount of ['', cluster]) {
      await make(connection, `${mount}/api/v1/${within}/configmaps`, { metadata, data: { key: canary } });
      await make(connection, `${mount}/api/v1/${within}/secrets`, { metadata, stringData: { key: canary } });
    }
    await make(connection, `/api/v1/${within}/serviceaccounts`, { metadata });
    await make(connection, `${rbac}/${within}/roles`, { metadata, rules: [] });
    await make(connection, `/apis/identity.tappaas.dev/v1alpha1/apitokens`, { metadata, spec: { user: canary, tenant: 'rival' } });
    await make(connection, `${ours}/tenants`, { metadata: { ...metadata, name: `${name}-rival` }, spec: {} });
    await make(connection, `${ours}/quotas`, { metadata, spec: { of: { tenant: 'rival' }, limits: { applications: 3 } } });
    await make(connection, `/apis/apps.tappaas.dev/v1alpha1/${within}/applications`, {
      metadata,
      spec: { source: { image: 'nothing' }, processes: [{ name: 'web' }], env: [{ name: 'KEY', value: canary }] },
    });
  }
}

/** Nothing that was made up is run as a process: in the cluster every write is a dry one. */
function harmless(mount: string, { method, path }: FuzzRequest): string {
  if (mount !== cluster || method === 'GET') return mount + path;
  return `${mount}${path.replace(/([?&])dryRun=[^&]*/, '$1')}${path.includes('?') ? '&' : '?'}dryRun=All`;
}

/** Sends one; of a watch only the beginning is read. */
function send(path: string, { method, headers, body }: FuzzRequest, asking: Asking): Promise<FuzzAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      connection.server,
      {
        path,
        method,
        agent,
        ca: connection.ca,
        signal: AbortSignal.timeout(answerMsMax),
        headers: {
          authorization: `Bearer ${connection.token}`,
          ...asking.headers,
          ...headers,
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        },
      },
      (answer) => {
        const status = answer.statusCode ?? 0;
        const type = (answer.headers['content-type'] ?? '').split(';')[0] ?? '';
        if (status < 300 && isWatch(path)) {
          resolve({ status, type, text: '{}' });
          outgoing.destroy();
          return;
        }
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('error', reject).on('end', () => resolve({ status, type, text }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The documents of a server. */
async function groupsOf(mount: string): Promise<readonly string[]> {
  const index = await call(connection, 'GET', `${mount}/openapi/v3`);
  const names = Object.keys(index.json<{ paths: object }>().paths);
  return names.filter((name) => name.includes(onlyGroups));
}

/** What one group answered. */
interface Findings {
  /** What was wrong, each as a line that says what to send to see it again. */
  readonly problems: string[];
  readonly statuses: Map<number, number>;
  /** Operations that have succeeded, by name. */
  readonly answered: Set<string>;
  /** The last refusal of each of the others. */
  readonly refused: Map<string, string>;
}

class GroupFuzz {
  readonly findings: Findings = { problems: [], statuses: new Map(), answered: new Set(), refused: new Map() };
  readonly #mount: string;
  readonly #check: AnswerCheck;
  readonly #asking: Asking;
  readonly #versions = new KnownVersions();

  constructor(mount: string, document: Document, asking: Asking) {
    this.#mount = mount;
    this.#check = new AnswerCheck(document);
    this.#asking = asking;
  }

  /** Sends requests, several at once, until all are sent or too much is wrong. */
  async sendAll(requests: readonly FuzzRequest[]): Promise<void> {
    const waiting = requests.values();
    const worker = async (): Promise<void> => {
      for (const each of waiting) {
        await this.send(each);
        if (this.findings.problems.length >= problemsMax) return;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }

  async send(drawn: FuzzRequest): Promise<void> {
    const { problems, statuses, answered, refused } = this.findings;
    const each = this.#versions.placed(drawn);
    const path = harmless(this.#mount, each);
    const answer = await send(path, each, this.#asking).catch((error: Error): FuzzAnswer => ({
      status: 599,
      type: '',
      text: error.message,
    }));
    const { status, text } = answer;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const { operationId } = each.operation;
    if (status < 300) answered.add(operationId);
    else refused.set(operationId, `${each.method} ${path} ${each.body?.slice(0, 300) ?? ''} → ${status} ${text.slice(0, 300)}`);
    const { hidden } = this.#asking;
    const problem = hidden !== undefined && text.includes(hidden) ? 'something of another tenant' : this.#check.problemOf(each, answer);
    if (problem === undefined) this.#versions.note(each, answer);
    else
      problems.push(
        `${problem}\n  ${each.method} ${path} ${JSON.stringify(each.headers)}\n  ${each.body?.slice(0, 2000) ?? ''}\n  → ${status} ${text.slice(0, 1000)}`,
      );
  }

  /**
   * Operations that have answered nothing but refusals and 304, although they were asked as their description wants it, beside creations of
   * what they are about.
   */
  async unreached(operations: readonly Operation[], values: Values, seed: number): Promise<readonly Operation[]> {
    const { answered } = this.findings;
    const isMissing = ({ operationId }: Operation) => !answered.has(operationId);
    for (const operation of operations.filter(isMissing)) {
      const creation = operations.find(({ method, path }) => method === 'POST' && operation.path.startsWith(`${path}/{name}`));
      const read = operations.find(({ method, path }) => method === 'GET' && path === `${creation?.path}/{name}`);
      const deletion = operations.find(({ method, path }) => method === 'DELETE' && path === `${creation?.path}/{name}`);
      // What was made by chance may differ in what cannot change. What has been read is known at its version, until a controller changes it.
      const tries = [read, operation, read, operation, read, operation];
      const sent = [deletion, creation, ...tries].filter((each) => each !== undefined);
      const rounds = sent.map((each) => sample(fittingRequestOf(each, values, names[0]), { seed, numRuns: fittingTriesMax }));
      for (let round = 0; round < fittingTriesMax && isMissing(operation); round += 1) {
        for (const requests of rounds) {
          const request = requests[round];
          if (request !== undefined && isMissing(operation)) await this.send(request);
        }
      }
    }
    return operations.filter(isMissing);
  }
}

async function fuzzAll(t: ExecutionContext, mount: string, count: number, asking: Asking): Promise<void> {
  t.timeout(180_000 + count * 60);
  const seed = seedOf(t);
  const neverAnswered: string[] = [];
  for (const name of await groupsOf(mount)) {
    const beganMs = performance.now();
    const document = (await call(connection, 'GET', `${mount}/openapi/v3/${name}`)).json<Document>();
    const operations = operationsOf(document);
    const group = new GroupFuzz(mount, document, asking);
    await group.sendAll(sample(requestsOf(document, operations), { seed, numRuns: count }));
    const { problems, statuses, refused } = group.findings;
    if (asking === administrator && problems.length < problemsMax) {
      const sent = operations.filter((each) => reasonNeverAnswered(mount, each) === undefined);
      const missing = await group.unreached(sent, new Values(document, true), seed);
      neverAnswered.push(...missing.map(({ operationId }) => `${name}: ${refused.get(operationId) ?? operationId}`));
    }
    const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
    t.log(`${name}, ${seconds} s: ${[...statuses].map(([status, times]) => `${times} × ${status}`).join(', ')}`);
    t.deepEqual(problems, [], name);
    // What limits or forbids is taken away again, so that the next group is asked in earnest.
    if (asking === administrator) {
      for (const plural of ['quotas', 'policies']) t.is((await call(connection, 'DELETE', `${ours}/${plural}`)).status, 200);
    }
  }
  t.deepEqual(neverAnswered, [], 'these accept nothing that their description lets expect');
  t.is((await call(connection, 'GET', '/readyz')).status, 200);
  t.is(({} as Record<string, unknown>)['polluted'], undefined);
}

for (const mount of ['', cluster]) {
  const where = mount === '' ? 'the platform' : 'a cluster';
  // First: the administrator's requests delete what the other tenant has.
  test.serial(`a developer gets no answer of ${where} that its document does not let expect, nor anything of another tenant`, async (t) => {
    await eventually(
      () => call(connection, 'GET', `/api/v1/namespaces/${namespace}/secrets`, undefined, undefined, developer.headers),
      ({ status }) => status === 200,
    );
    await fuzzAll(t, mount, requestsOfDeveloper, developer);
  });
}

for (const mount of ['', cluster]) {
  const where = mount === '' ? 'the platform' : 'a cluster';
  test.serial(`every answer of ${where} is one that its OpenAPI document lets expect, whatever is asked`, async (t) => {
    await fuzzAll(t, mount, requestsOfGroup, administrator);
  });
}
