import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { print } from '../print.js';
import { duration, textTable } from '../table.js';

interface Explanation {
  readonly object: string;
  readonly changes: readonly { readonly plugin: string; readonly paths: readonly string[]; readonly generation?: number }[];
  readonly placements: readonly {
    readonly pod: string;
    readonly at: string;
    readonly outcome: string;
    readonly node?: string;
    readonly message: string;
  }[];
}

/** `tappaas explain KIND/NAME` */
export async function explain(invocation: Invocation): Promise<number> {
  const [kind, name, ...rest] = (invocation.positionals[0] ?? '').split('/');
  if (!kind || !name || rest.length > 0) {
    throw new CliError(`"${invocation.positionals[0] ?? ''}" is not KIND/NAME`, {
      remedy: 'Write it as application/shop.',
      exitCode: exitCodes.usage,
    });
  }
  const query = new URLSearchParams({ kind, name, namespace: invocation.namespace });
  const found = await (await invocation.client()).json<Explanation>(`/plugins/platform/explain?${query.toString()}`);
  if (found === undefined) {
    throw new CliError(`there is no ${kind} "${name}" in namespace ${invocation.namespace}`, {
      remedy: 'kubectl get lists what there is; pods and nodes are in the context of their cluster.',
      exitCode: exitCodes.failed,
    });
  }
  await print(invocation, found, () => describe(found, invocation.terminal.nowMs()));
  return exitCodes.ok;
}

function describe({ object, changes, placements }: Explanation, nowMs: number): string {
  const fields = changes.flatMap(({ plugin, paths }) => paths.map((path) => [path, plugin]));
  const changed = fields.length === 0 ? 'No plugin changed it on its way into the store.\n' : textTable(['FIELD', 'CHANGED BY'], fields);
  const placed =
    placements.length === 0
      ? ''
      : `\n${textTable(
          ['POD', 'OUTCOME', 'NODE', 'AGE', 'WHY'],
          placements.map(({ pod, at, outcome, node, message }) => [
            pod,
            outcome,
            node ?? '-',
            duration(Math.max(0, nowMs - Date.parse(at))),
            message,
          ]),
        )}`;
  return `${object}\n\n${changed}${placed}`;
}
