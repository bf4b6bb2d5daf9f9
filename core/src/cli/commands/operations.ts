import type { Client } from '@tappaas/client';
import { inNamespace } from '../called-as.js';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { followOperation } from '../follow-operation.js';
import { harmless } from '../harmless.js';
import { placeOf, printList } from '../listed.js';
import { isOver, tookMs, type OperationView } from '../operation-view.js';
import { allOperationsPath, operationPath } from '../paths.js';
import { print, printEach } from '../print.js';
import { createStages } from '../stages.js';
import { duration, textTable } from '../table.js';
import { isForPrograms, isWatching } from '../watching-options.js';
import { watchTable } from '../watching.js';

const waitMsMax = 120_000;
/** Longer than any operation takes. */
const followMsMax = 24 * 3_600_000;

/** `tappaas operations`, `tappaas operations NAME` and `tappaas operations cancel NAME` */
export async function operations(invocation: Invocation): Promise<number> {
  const [first, second] = invocation.positionals;
  if (first === 'cancel' && second === undefined) {
    throw new CliError('operations: expected the NAME of an operation after cancel, found none', {
      remedy: 'tappaas operations lists their names.',
      exitCode: exitCodes.usage,
    });
  }
  const client = await invocation.client();
  if (first === undefined) return list(invocation, client);
  if (second === undefined && isWatching(invocation)) return follow(invocation, client, first);
  if (second === undefined) return show(invocation, client, first);
  if (first === 'cancel') return cancel(invocation, client, second);
  throw new CliError(`operations: "${first}" is unknown`, {
    remedy: 'Usage: tappaas operations, tappaas operations NAME, or tappaas operations cancel NAME.',
    exitCode: exitCodes.usage,
  });
}

async function list(invocation: Invocation, client: Client): Promise<number> {
  const path = invocation.options['all-namespaces'] === true ? allOperationsPath : operationPath(invocation.namespace);
  if (isWatching(invocation)) return watchTable(invocation, client, path);
  return printList(invocation, client, path, `No operations in ${placeOf(invocation)}.\n`);
}

async function show(invocation: Invocation, client: Client, name: string): Promise<number> {
  const operation = await client.json<OperationView>(operationPath(invocation.namespace, name));
  if (operation === undefined) throw unknown(name, invocation.namespace);
  await print(invocation, operation, () => describe(operation, invocation.terminal.nowMs()));
  return exitCodes.ok;
}

/** Follows an operation to its end: by steps for people, by changes for programs. Exits with 1 if it did not succeed. */
async function follow(invocation: Invocation, client: Client, name: string): Promise<number> {
  const { namespace, terminal } = invocation;
  if (isForPrograms(invocation)) return printChanges(invocation, client, name);
  const stages = createStages(terminal.stdout, () => terminal.nowMs(), false);
  const { object } = await followOperation(client, { namespace, name }, followMsMax, stages, () => false);
  if (object === undefined) throw unknown(name, namespace);
  terminal.stdout.write(harmless(`\n${describe(object, terminal.nowMs())}`));
  return codeOf(object);
}

async function printChanges(invocation: Invocation, client: Client, name: string): Promise<number> {
  const { namespace } = invocation;
  const over = new AbortController();
  const watched = { fields: `metadata.name=${name}`, signal: over.signal };
  try {
    let last: OperationView | undefined;
    for await (const event of client.watch<OperationView>(operationPath(namespace), watched)) {
      if (event.type === 'SYNCED' ? last === undefined : event.type === 'DELETED') throw unknown(name, namespace);
      if (event.type === 'SYNCED') continue;
      last = event.object;
      await printEach(invocation, last, () => '');
      if (isOver(last)) break;
    }
    return codeOf(last);
  } finally {
    over.abort();
  }
}

const codeOf = (operation: OperationView | undefined): number =>
  operation?.status?.phase === 'Succeeded' ? exitCodes.ok : exitCodes.failed;

/** Requests cancellation and waits for its result. */
async function cancel(invocation: Invocation, client: Client, name: string): Promise<number> {
  const { namespace } = invocation;
  const path = operationPath(namespace, name);
  const requested = await client.json<OperationView>(path, {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    body: JSON.stringify({ spec: { cancelled: true } }),
  });
  if (requested === undefined) throw unknown(name, namespace);
  const { reached, object } = await client.until<OperationView>(
    { collection: operationPath(namespace), name, timeoutMs: waitMsMax },
    (operation) => operation === undefined || isOver(operation),
  );
  if (!reached) {
    throw new CliError(`operation ${name} has not ended ${duration(waitMsMax)} after it was cancelled`, {
      remedy: `tappaas operations ${name}${inNamespace(invocation.terminal, namespace)} says what it waits for.`,
      exitCode: exitCodes.failed,
    });
  }
  const phase = object?.status?.phase ?? 'gone';
  const view = object ?? { namespace, name, gone: true };
  await print(invocation, view, () => `operation ${name}: ${phase}${object?.status?.error ? `, ${object.status.error}` : ''}\n`);
  return phase === 'Cancelled' || phase === 'gone' ? exitCodes.ok : exitCodes.failed;
}

function describe({ metadata, spec, status = {} }: OperationView, nowMs: number): string {
  const took = tookMs(status, nowMs);
  const facts = [
    ['Operation', `${metadata.namespace}/${metadata.name}`],
    [
      'Does',
      `${spec.verb} ${spec.target.kind} ${spec.target.name}${spec.target.generation ? `, generation ${spec.target.generation}` : ''}`,
    ],
    ['Phase', `${status.phase ?? 'Pending'}, ${status.percent ?? 0} %${took === undefined ? '' : `, ${duration(took)}`}`],
    ...(status.error ? [['Error', status.error]] : []),
    ...Object.entries(status.result ?? {}).map(([key, value]) => [`Result ${key}`, value]),
    ...(spec.requestId ? [['Request', spec.requestId]] : []),
  ].map(([label = '', value = '']) => `${label.padEnd(16)}${value}`);
  const steps = (status.steps ?? []).map((step) => {
    const stepTook = tookMs(step, nowMs);
    return [step.name, step.phase, stepTook === undefined ? '-' : duration(stepTook), step.message ?? ''];
  });
  return `${facts.join('\n')}\n\n${textTable(['STEP', 'PHASE', 'TOOK', 'MESSAGE'], steps)}`;
}

function unknown(name: string, namespace: string): CliError {
  return new CliError(`there is no operation "${name}" in namespace ${namespace}`, {
    remedy: 'tappaas operations -A lists all of them.',
    exitCode: exitCodes.failed,
  });
}
