import { configurationSchema, showConfiguration } from '../../kernel/configuration-report.js';
import { formatProblem } from '../../kernel/problem.js';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { print } from '../print.js';
import { reportOptions } from '../report-options.js';
import { textTable } from '../table.js';

/** `tappaas config show [--origin]`, `tappaas config schema`. */
export async function config(invocation: Invocation): Promise<number> {
  const [what] = invocation.positionals;
  const options = await reportOptions(invocation);
  if (what === 'schema') {
    const schema = await configurationSchema(options);
    await print({ ...invocation, output: invocation.output === 'yaml' ? 'yaml' : 'json' }, schema, () => '');
    return exitCodes.ok;
  }
  if (what !== 'show')
    throw new CliError(`config: "${what ?? ''}" is unknown`, {
      remedy: 'Usage: tappaas config show [--origin], or tappaas config schema.',
      exitCode: exitCodes.usage,
    });
  const { values, problems } = await showConfiguration(options);
  const errors = problems.filter(({ severity }) => severity === 'error');
  for (const { remedy, ...problem } of problems)
    invocation.terminal.stderr.write(`${formatProblem(problem)}\n${remedy === undefined ? '' : `    ${remedy}\n`}`);
  if (errors.length > 0) return exitCodes.configuration;
  const withOrigin = invocation.options['origin'] === true;
  await print(invocation, values, () => {
    const rows = values.map(({ path, value, origin }) => [
      path,
      JSON.stringify(value),
      ...(withOrigin ? [origin ? `${origin.file}:${origin.line}:${origin.column}` : 'default'] : []),
    ]);
    return textTable(['SETTING', 'VALUE', ...(withOrigin ? ['SET IN'] : [])], rows);
  });
  return exitCodes.ok;
}
