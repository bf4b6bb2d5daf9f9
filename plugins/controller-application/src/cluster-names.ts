import { deny, type Denial, type Immutable } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';
import { objectName } from './place.js';
import { isTask, taskHashCharacters } from './tasks.js';

type Application = Immutable<ApplicationObject>;
type Process = Application['spec']['processes'][number];

/** Maximum length of labels and of names of Services and Jobs. */
const labelCharactersMax = 63;
/** Maximum length of a CronJob's name, to which a suffix is added for each Job. */
const cronJobCharactersMax = 52;

/**
 * Refuses names that no cluster accepts: retries would never deploy such an application. Only new names are checked, since stored
 * applications must remain changeable.
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

/**
 * The strictest limit among the cluster objects of a process. A Deployment's name has none in practice: its limit exceeds any application
 * name and process name joined.
 */
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
