import { ApiError, type Client } from '@tappaas/client';
import type { ApplicationView } from '../application-view.js';
import { calledAs, inNamespace } from '../called-as.js';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { applicationPath, kindPath } from '../paths.js';
import { print } from '../print.js';
import { secondsOf } from '../seconds.js';
import { createStages } from '../stages.js';
import { duration } from '../table.js';
import type { Terminal } from '../terminal.js';
import { changeOf, untilServing, type Change } from '../until-serving.js';
import { unknownApplication } from './delete.js';

interface ReleaseView {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly number: number };
  readonly status?: { readonly phase?: string };
}

/** `tappaas rollback APPLICATION [--to RELEASE]`: pins an earlier release and waits until it serves; `--unpin` removes the pin. */
export async function rollback(invocation: Invocation): Promise<number> {
  const { terminal, positionals, options, namespace, output } = invocation;
  const [name = ''] = positionals;
  const text = (option: string) => (typeof options[option] === 'string' ? options[option] : undefined);
  const timeoutMs = secondsOf(text('timeout') ?? '600') * 1000;
  const to = text('to');
  if (options['unpin'] === true && to !== undefined) {
    throw new CliError('rollback: --to pins a release and --unpin pins none', {
      remedy: 'Give one of the two.',
      exitCode: exitCodes.usage,
    });
  }
  const client = await invocation.client();
  const application = await client.json<ApplicationView>(applicationPath(namespace, name));
  if (application === undefined) throw unknownApplication(name, namespace);
  const release = options['unpin'] === true ? undefined : chosen(application, await releasesOf(client, application), to);
  const stages = createStages(terminal.stdout, () => terminal.nowMs(), output === 'json' || output === 'yaml');
  const change = await pin(client, application, release?.metadata.name);
  stages.reached(release === undefined ? `application ${name} unpinned` : `application ${name} pinned to release ${release.metadata.name}`);
  if (options['no-wait'] === true) {
    await print(invocation, change.sent, () => '');
    return exitCodes.ok;
  }
  const served = await untilServing(client, change, timeoutMs, stages, {
    next: 'Roll back to another release with --to, or fix it and deploy again',
    terminal,
  });
  await print(invocation, served, () => closing(served, duration(stages.totalMs()), release !== undefined, terminal));
  return exitCodes.ok;
}

/** Returns releases, newest first. */
async function releasesOf(client: Client, { metadata: { namespace, uid } }: ApplicationView): Promise<readonly ReleaseView[]> {
  const selector = encodeURIComponent(`spec.of.uid=${uid}`);
  const found = await client.json<{ items: readonly ReleaseView[] }>(`${kindPath('releases', namespace)}?fieldSelector=${selector}`);
  return (found?.items ?? []).toSorted((one, other) => other.spec.number - one.spec.number);
}

function chosen({ metadata, status }: ApplicationView, releases: readonly ReleaseView[], to: string | undefined): ReleaseView {
  const serving = releases.find((each) => each.metadata.name === status?.release);
  const isBefore = ({ spec, status: is }: ReleaseView) => spec.number < (serving?.spec.number ?? 0) && is?.phase === 'Superseded';
  const isMeant = (each: ReleaseView) => each.metadata.name === to || String(each.spec.number) === to;
  const found = releases.find(to === undefined ? isBefore : isMeant);
  if (found !== undefined) return found;
  const { name } = metadata;
  if (serving !== undefined && releases.length === 1) {
    throw new CliError(`application ${name} has no release but ${serving.metadata.name}, which serves`, {
      remedy: 'Deploy a change first: the release before it is what a rollback goes back to.',
      exitCode: exitCodes.failed,
    });
  }
  const known = releases.map((each) => `${each.metadata.name}${each.status?.phase ? ` (${each.status.phase})` : ''}`).join(', ');
  const what =
    to === undefined ? `no release before ${serving?.metadata.name ?? 'the one it waits for'} that has served` : `no release "${to}"`;
  throw new CliError(`application ${name} has ${what}`, {
    remedy: known === '' ? `It has none yet; tappaas status ${name} says what it waits for.` : `Name one with --to; it has ${known}.`,
    exitCode: exitCodes.failed,
  });
}

async function pin(client: Client, { metadata: { name, namespace } }: ApplicationView, release: string | undefined): Promise<Change> {
  const answer = await client.send(`${applicationPath(namespace, name)}?fieldManager=tappaas-cli`, {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    body: JSON.stringify({ spec: { pin: release ?? null } }),
  });
  if (answer.status >= 300) throw ApiError.of(answer);
  return changeOf(answer);
}

function closing({ metadata: { name, namespace }, status }: ApplicationView, took: string, isPinned: boolean, terminal: Terminal): string {
  const where = status?.url === undefined ? '' : ` at ${status.url}`;
  const serves = `\n${status?.release ?? name} serves${where}, after ${took}.`;
  if (!isPinned) return `${serves}\n`;
  return `${serves} Later changes do not, until it is unpinned:\n  ${calledAs(terminal)} rollback ${name} --unpin${inNamespace(terminal, namespace)}\n`;
}
