/** The page of every command of the command line, from the definitions that `--help` prints. */
import { generated, row, table } from './markdown.ts';

interface CommandLine {
  readonly commands: typeof import('../core/dist/cli/commands.js').commands;
  readonly commonOptions: typeof import('../core/dist/cli/common-options.js').commonOptions;
}

export async function commandsPage(): Promise<string> {
  const { commands } = (await import('../core/dist/cli/commands.js')) as Pick<CommandLine, 'commands'>;
  const { commonOptions } = (await import('../core/dist/cli/common-options.js')) as Pick<CommandLine, 'commonOptions'>;
  const { flagOf, usageOf } = (await import('../core/dist/cli/help.js')) as typeof import('../core/dist/cli/help.js');
  const flags = (options: CommandLine['commonOptions']): string =>
    table(
      ['flag', 'what it does'],
      Object.entries(options).map(([name, option]) => row(`\`${flagOf(name, option)}\``, option.description)),
    );
  const sections = commands.map((command) => {
    const own = Object.keys(command.options).length === 0 ? '' : `\n${flags(command.options)}\n`;
    return `## ${command.name}\n\n${command.summary}\n\n\`${usageOf(command)}\`\n${own}`;
  });
  return `# Commands\n\n${generated}\n\n${howToRead}\n\n## Flags of every command\n\n${flags(commonOptions)}\n\n${sections.join('\n')}`;
}

const howToRead = `\`tappaas COMMAND --help\` says the same. Actions of plugins are commands too, \`tappaas KIND ACTION NAME\`: [the command
line](../consumers/command-line.md), which also has what programs read, the exit codes and the environment.`;
