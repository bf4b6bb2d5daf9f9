import { ApiError, type Client } from '@tappaas/client';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { followOperation } from '../follow-operation.js';
import { findKind, type KindWithActions } from '../kinds-with-actions.js';
import { isOver, type OperationView } from '../operation-view.js';
import { print } from '../print.js';
import { secondsOf } from '../seconds.js';
import { createStages } from '../stages.js';
import { duration } from '../table.js';
import { nearestCommand, unknownCommand } from '../unknown-command.js';

/** `tappaas KIND ACTION NAME [FIELD=VALUE …]`: runs an action that a plugin defines for objects of a kind. */
export const action =
  (word: string) =>
  async (invocation: Invocation): Promise<number> => {
    const { positionals, options, namespace } = invocation;
    const [name = '', object, ...fields] = positionals;
    const timeoutMs = secondsOf(typeof options['timeout'] === 'string' ? options['timeout'] : '600') * 1000;
    const client = await invocation.client().catch((error: unknown) => {
      throw nearestCommand(word) === undefined ? error : unknownCommand(word);
    });
    const kind = await findKind(client, word);
    if (kind === undefined) throw unknownCommand(word);
    if (!kind.actions.includes(name)) throw unknownAction(word, name, kind);
    if (object === undefined) throw usage(`${word} ${name}: expected a name behind it, found none`, word, name);
    const path = `${collectionOf(kind, namespace)}/${encodeURIComponent(object)}/${encodeURIComponent(name)}`;
    const answer = await client.send(options['dry-run'] === true ? `${path}?dryRun=All` : path, {
      method: 'POST',
      body: JSON.stringify(inputOf(fields, word, name)),
    });
    if (answer.status >= 300) throw ApiError.of(answer);
    const output = JSON.parse(answer.text) as object;
    if (answer.status !== 202) return shown(invocation, output);
    return isOperation(output) && options['no-wait'] !== true ? finished(invocation, client, output, timeoutMs) : shown(invocation, output);
  };

async function shown(invocation: Invocation, output: object): Promise<number> {
  const { stringify } = await import('yaml');
  await print(invocation, output, () => (Object.keys(output).length === 0 ? 'done\n' : stringify(output)));
  return exitCodes.ok;
}

/** Follows an operation in the background; returns an exit code according to its result. */
async function finished(invocation: Invocation, client: Client, begun: OperationView, timeoutMs: number): Promise<number> {
  const { terminal, output } = invocation;
  const { name, namespace } = begun.metadata;
  const stages = createStages(terminal.stdout, () => terminal.nowMs(), output === 'json' || output === 'yaml');
  const { reached, object } = await followOperation(client, { namespace, name }, timeoutMs, stages, () => false);
  if (!reached || object === undefined || !isOver(object)) {
    throw new CliError(`operation ${name} has not ended after ${duration(timeoutMs)}`, {
      remedy: `It goes on: tappaas operations ${name} -n ${namespace} says how it is.`,
      exitCode: exitCodes.failed,
    });
  }
  const { phase = 'gone', result = {}, error } = object.status ?? {};
  if (phase !== 'Succeeded') {
    throw new CliError(`operation ${name}: ${phase}${error ? `, ${error}` : ''}`, {
      remedy: `tappaas operations ${name} -n ${namespace} shows its steps.`,
      exitCode: exitCodes.failed,
    });
  }
  const lines = Object.entries(result).map(([key, value]) => `${key}: ${value}\n`);
  await print(invocation, object, () => lines.join('') || 'done\n');
  return exitCodes.ok;
}

function collectionOf({ group, plural, isNamespaced }: KindWithActions, namespace: string): string {
  return isNamespaced ? `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}` : `${group}/${plural}`;
}

/** Parses fields: `grade=3` is a number, `label=blue` a string. The platform checks whether they are valid. */
function inputOf(fields: readonly string[], word: string, name: string): Readonly<Record<string, unknown>> {
  const entries = fields.map((field) => {
    const at = field.indexOf('=');
    if (at < 1) throw usage(`${word} ${name}: expected FIELD=VALUE, found "${field}"`, word, name);
    return [field.slice(0, at), valueOf(field.slice(at + 1))] as const;
  });
  return Object.fromEntries(entries);
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function unknownAction(word: string, name: string, { kind, actions }: KindWithActions): CliError {
  const has = actions.length === 0 ? 'it has none' : `it has ${actions.join(', ')}`;
  return new CliError(`kind ${kind} has no action "${name}"; ${has}`, {
    remedy: actions.length === 0 ? 'tappaas help lists the commands.' : `Usage: tappaas ${word} ${actions[0]} NAME [FIELD=VALUE …]`,
    exitCode: exitCodes.usage,
  });
}

const usage = (message: string, word: string, name: string): CliError =>
  new CliError(message, { remedy: `Usage: tappaas ${word} ${name} NAME [FIELD=VALUE …]`, exitCode: exitCodes.usage });

const isOperation = (value: object): value is OperationView => 'kind' in value && value.kind === 'Operation';
