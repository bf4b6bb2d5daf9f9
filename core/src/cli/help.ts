import { exitCodes, type Command, type Option } from './command.js';

/** Returns the output of `tappaas help`. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  const codes = Object.entries(exitCodes)
    .map(([name, code]) => `${code} ${name}`)
    .join(', ');
  return `tappaas: runs applications.\n\nUsage: tappaas COMMAND\n\n${lines.join('\n')}\n\ntappaas COMMAND --help says more.\n\nExit codes: ${codes}.\n`;
}

export const usageOf = ({ name, operands }: Pick<Command, 'name' | 'operands'>): string => `tappaas ${name} ${operands}`.trimEnd();

/** Formats an option, such as `-f, --file FILE`. */
export const flagOf = (name: string, { short, value }: Option): string =>
  `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`;

/** Returns the output of `tappaas COMMAND --help`. */
export function commandHelp(command: Command, common: Readonly<Record<string, Option>>): string {
  const options = Object.entries({ ...command.options, ...common });
  const flags = options.map(([name, option]) => `${option.short ? '' : '    '}${flagOf(name, option)}`);
  const width = Math.max(...flags.map((flag) => flag.length));
  const lines = options.map(([, { description }], index) => `  ${(flags[index] ?? '').padEnd(width)}  ${description}`);
  return `${command.summary}\n\nUsage: ${usageOf(command)}\n\n${lines.join('\n')}\n`;
}
