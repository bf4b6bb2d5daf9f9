/** Requests made from the platform's own OpenAPI documents: whatever is asked, the answer is one that the document lets expect. */
import { Agent, request } from 'node:https';
import test from 'ava';
import { sample } from 'fast-check';
import { call, type Connection } from '../platform-process.ts';
import { AnswerCheck, isWatch, type FuzzAnswer } from './answer-check.ts';
import { operationsOf, type Document } from './openapi-document.ts';
import { namespace, requestsOf, type FuzzRequest } from './openapi-requests.ts';
import { make, runPlatform } from './running-platform.ts';

const isLong = Boolean(process.env['TAPPAAS_LONG']);
/** The usual run and CI ask the same every time: what is new is for the long one to find. */
const seed = Number(process.env['TAPPAAS_SEED'] ?? (isLong ? Math.floor(Math.random() * 2 ** 31) : 1));
/** A group is a document: one group and version of one API server. Who runs everything at their desk is not kept waiting for minutes. */
const requestsOfGroup = isLong || process.env['CI'] ? 10_000 : 75;
/** Only groups whose name has this in it, to look at one again. */
const onlyGroups = process.env['TAPPAAS_GROUP'] ?? '';
const atOnce = 8;
const answerMsMax = 15_000;
const problemsMax = 20;
const cluster = '/clusters/local';

let connection: Connection;
const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
const undo: (() => unknown)[] = [() => agent.destroy()];

test.before('a platform runs', async (t) => {
  t.timeout(180_000);
  const running = await runPlatform({ policies: { use: '@tappaas/access-abac' } });
  undo.push(() => running.stop());
  connection = running.connection;
  for (const mount of ['', cluster]) await make(connection, `${mount}/api/v1/namespaces`, { metadata: { name: namespace } });
});

test.after.always('the platform is stopped', async () => {
  for (const stop of undo.toReversed()) await stop();
});

/** Nothing that was made up is run as a process: in the cluster every write is a dry one. */
function harmless(mount: string, { method, path }: FuzzRequest): string {
  if (mount !== cluster || method === 'GET') return mount + path;
  return `${mount}${path.replace(/([?&])dryRun=[^&]*/, '$1')}${path.includes('?') ? '&' : '?'}dryRun=All`;
}

/** Sends one; of a watch only the beginning is read. */
function send(path: string, { method, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
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

interface Group {
  readonly mount: string;
  readonly name: string;
}

async function groupsOf(mount: string): Promise<readonly Group[]> {
  const index = await call(connection, 'GET', `${mount}/openapi/v3`);
  const names = Object.keys(index.json<{ paths: object }>().paths);
  return names.filter((name) => name.includes(onlyGroups)).map((name) => ({ mount, name }));
}

/** What one group answered wrongly, each as a line that says what to send to see it again. */
async function fuzz(
  { mount, name }: Group,
  count: number,
): Promise<{ readonly problems: readonly string[]; readonly statuses: Map<number, number> }> {
  const document = (await call(connection, 'GET', `${mount}/openapi/v3/${name}`)).json<Document>();
  const check = new AnswerCheck(document);
  const operations = operationsOf(document);
  const requests = sample(requestsOf(document, operations), { seed, numRuns: count });
  const problems: string[] = [];
  const statuses = new Map<number, number>();
  const waiting = requests.values();
  const worker = async (): Promise<void> => {
    for (const each of waiting) {
      const answer = await send(harmless(mount, each), each).catch((error: Error): FuzzAnswer => ({
        status: 599,
        type: '',
        text: error.message,
      }));
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const problem = check.problemOf(each, answer);
      if (problem === undefined) continue;
      problems.push(
        `${problem}\n  ${each.method} ${harmless(mount, each)} ${JSON.stringify(each.headers)}\n  ${each.body?.slice(0, 2000) ?? ''}\n  → ${answer.status} ${answer.text.slice(0, 1000)}`,
      );
      if (problems.length >= problemsMax) return;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { problems, statuses };
}

for (const mount of ['', cluster]) {
  test.serial(
    `every answer of ${mount === '' ? 'the platform' : 'a cluster'} is one that its OpenAPI document lets expect, whatever is asked`,
    async (t) => {
      t.timeout(180_000 + requestsOfGroup * 60);
      t.log(`TAPPAAS_SEED=${seed}`);
      for (const group of await groupsOf(mount)) {
        const beganMs = performance.now();
        const { problems, statuses } = await fuzz(group, requestsOfGroup);
        const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
        t.log(`${group.name}, ${seconds} s: ${[...statuses].map(([status, count]) => `${count} × ${status}`).join(', ')}`);
        t.deepEqual(problems, [], `${group.name}, with TAPPAAS_SEED=${seed}`);
      }
      t.is((await call(connection, 'GET', '/readyz')).status, 200);
      t.is(({} as Record<string, unknown>)['polluted'], undefined);
    },
  );
}
