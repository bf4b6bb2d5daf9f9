import { deny, type Denial, type Immutable } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';
import { objectName } from './place.js';
import { isTask, taskHashCharacters } from './tasks.js';

type Application = Immutable<ApplicationObject>;
type Process = Application['spec']['processes'][number];

/** What labels, Services and Jobs have at most. */
const labelCharactersMax = 63;
/** A CronJob adds to its name for each of its Jobs. */
const cronJobCharactersMax = 52;

/**
 * Names that no cluster takes: an application is never served that begins so, however long it is tried. Asked about what is new alone, since what
 * is stored has to stay changeable.
 *
 * @source https://kubernetes.io/docs/concepts/overview/working-with-objects/names/; Kubernetes' validation of Service, Job and CronJob
 */
export function checkClusterNames(application: Application, previous?: Application): readonly Denial[] {
  const { name } = application.metadata;
  if (previous === undefined && name.length > labelCharactersMax) {
    const message = `"${name}" has ${name.length} characters; at most ${labelCharactersMax}, since it is a label of what runs`;
    return [deny({ field: 'metadata.name', reason: 'FieldValueInvalid', message })];
  }
  return application.spec.processes.flatMap((process, index) => {
    const limit = limitOf(process);
    const before = previous?.spec.processes.find((each) => each.name === process.name);
    if (limit === undefined || (before !== undefined && limitOf(before)?.what === limit.what)) return [];
    const message = refusal(objectName(application, process.name), limit);
    return message === undefined ? [] : [deny({ field: `spec.processes[${index}].name`, reason: 'FieldValueInvalid', message })];
  });
}

interface Limit {
  readonly what: 'CronJob' | 'Job' | 'Service';
  readonly charactersMax: number;
}

/** Of the object with the shortest name that a process has on its cluster; a Deployment's may be longer than any application with its process. */
function limitOf(process: Process): Limit | undefined {
  if (process.schedule !== undefined) return { what: 'CronJob', charactersMax: cronJobCharactersMax };
  if (isTask(process)) return { what: 'Job', charactersMax: labelCharactersMax - 1 - taskHashCharacters };
  return process.ports?.length ? { what: 'Service', charactersMax: labelCharactersMax } : undefined;
}

function refusal(name: string, { what, charactersMax }: Limit): string | undefined {
  const called = `its ${what} would be called "${name}": the names of application and process, joined by a hyphen`;
  if (name.length > charactersMax) return `${called}, have ${name.length} characters; at most ${charactersMax}`;
  if (what !== 'Service' || /^[a-z][-a-z0-9]*$/.test(name)) return undefined;
  return `${called}; expected lower-case letters, digits and hyphens, beginning with a letter`;
}
