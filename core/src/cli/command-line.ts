import { parseArgs } from 'node:util';
import { actionCommand } from './action-command.js';
import { defaultNamespace } from './called-as.js';
import { CliError } from './cli-error.js';
import { exitCodes, type Command, type Invocation, type OutputFormat } from './command.js';
import { commands } from './commands.js';
import { commonOptions } from './common-options.js';
import { harmless, harmlessLine } from './harmless.js';
import { commandHelp, overview, usageOf } from './help.js';
import { withNamespaceHint } from './namespace-hint.js';
import type { Terminal } from './terminal.js';
import { cliErrorOf } from './cli-error-of.js';
import { unknownCommand } from './unknown-command.js';

/** Runs one command line and returns the exit code; never throws. */
export async function runCommandLine(terminal: Terminal): Promise<number> {
  try {
    return await run(terminal);
  } catch (error) {
    const cliError = cliErrorOf(error);
    if (cliError === undefined) throw error;
    terminal.stderr.write(harmless(`tappaas: ${cliError.message}\n${cliError.remedy === '' ? '' : `  ${cliError.remedy}\n`}`));
    return cliError.exitCode;
  }
}

async function run(terminal: Terminal): Promise<number> {
  const [name, ...rest] = terminal.arguments;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return showHelp(terminal, rest[0]);
  const found = findCommand(name === '--version' ? 'version' : name, rest);
  const { values, positionals } = parse(found, rest);
  if (values['help'] === true) return showHelp(terminal, found.name);
  if (positionals.length < found.operandsMin || positionals.length > found.operandsMax) {
    throw usage(found, `expected ${found.operands || 'no operand'}, found ${positionals.length === 0 ? 'none' : positionals.join(' ')}`);
  }
  const invocation = await invocationOf(terminal, found, values, positionals);
  const command = await found.load();
  try {
    return await command(invocation);
  } catch (error) {
    throw withNamespaceHint(error, terminal, typeof values['namespace'] === 'string' ? values['namespace'] : undefined);
  }
}

async function invocationOf(
  terminal: Terminal,
  found: Command,
  values: Invocation['options'],
  positionals: readonly string[],
): Promise<Invocation> {
  const text = (option: string) => (typeof values[option] === 'string' ? values[option] : undefined);
  const remarks = new Set<string>();
  const remark = (line: string): void => {
    if (!remarks.has(line)) terminal.stderr.write(`tappaas: ${harmlessLine(line)}\n`);
    remarks.add(line);
  };
  return {
    terminal,
    positionals,
    options: values,
    output: outputOf(found, text('output')),
    namespace: text('namespace') ?? defaultNamespace(terminal),
    client: async () => (await import('./connect.js')).connect(terminal, text('server'), remark),
    remark,
  };
}

/** Returns the command; a word that names none, followed by more, is the kind of an action. */
function findCommand(name: string, rest: readonly string[]): Command {
  const found = commands.find((command) => command.name === name);
  if (found) return found;
  if (rest[0] === undefined || name.startsWith('-')) throw unknownCommand(name);
  return actionCommand(name);
}

function parse(found: Command, rest: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries({ ...commonOptions, ...found.options }).map(([name, { type, short }]) => [
      name,
      short === undefined ? { type } : { type, short },
    ]),
  );
  try {
    return parseArgs({ args: [...rest], options, allowPositionals: true });
  } catch (error) {
    throw usage(found, error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error));
  }
}

function outputOf(found: Command, value: string | undefined): OutputFormat {
  if (value === undefined) return 'table';
  if (value === 'json' || value === 'yaml' || value === 'wide') return value;
  throw usage(found, `output "${value}" is unknown; expected json, yaml or wide`);
}

function usage(found: Command, message: string): CliError {
  return new CliError(`${found.name}: ${message}`, {
    remedy: `Usage: ${usageOf(found)}   (tappaas ${found.name} --help)`,
    exitCode: exitCodes.usage,
  });
}

function showHelp(terminal: Terminal, name: string | undefined): number {
  terminal.stdout.write(name === undefined ? overview(commands) : commandHelp(findCommand(name, ['--help']), commonOptions));
  return exitCodes.ok;
}
