import type { Candidates, HookDeclaration } from '@tappaas/sdk';

/** Which results a hook accepts, and which of them are denials. `options` are those of the tap. */
export interface ResultRule {
  readonly check: (value: unknown, input: unknown, options: object) => string | undefined;
  readonly denies?: (value: unknown) => boolean;
}

type Loose = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const shown = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value);

const isDenial = (value: unknown): boolean =>
  isObject(value) && typeof value['field'] === 'string' && isText(value['reason']) && isText(value['message']);

/** Accepts undefined or a value of `form`. */
const optional =
  (form: string, fits: (value: unknown, input: unknown) => boolean) =>
  (value: unknown, input: unknown): string | undefined =>
    value === undefined || fits(value, input) ? undefined : `${shown(value)} where ${form} was expected`;

const listOf =
  (form: string, fits: (value: unknown) => boolean) =>
  (value: unknown): string | undefined => {
    if (!Array.isArray(value)) return `${shown(value)} where a list of ${form} was expected`;
    return value.every(fits) ? undefined : `a list in which not every item is ${form}`;
  };

const identity = ['name', 'namespace', 'uid'] as const;

/** A mutating tap must return the object that it received. */
function checkMutated(value: unknown, input: unknown): string | undefined {
  if (value === undefined) return undefined;
  const before = (input as { readonly object: Loose }).object;
  const metadata = isObject(value) ? value['metadata'] : undefined;
  if (!isObject(value) || !isObject(metadata)) return `${shown(value)} where an object with metadata was expected`;
  if (value['kind'] !== before['kind'] || value['apiVersion'] !== before['apiVersion']) return 'an object of another kind';
  const was = before['metadata'] as Loose;
  const changed = identity.find((key) => metadata[key] !== was[key]);
  return changed === undefined ? undefined : `another metadata.${changed}`;
}

const claimUnits: readonly unknown[] = [undefined, 'count', 'cpuMillis', 'memoryBytes'];

const isClaim = (value: unknown): boolean =>
  isObject(value) && isDenial(value['denial']) && (isText(value['unique']) || isCounterClaim(value));

const isCounterClaim = ({ counter, amount, max, unit }: Loose): boolean =>
  isText(counter) && Number.isFinite(amount) && Number.isFinite(max) && claimUnits.includes(unit);

const isCondition = (value: unknown): value is Loose =>
  isObject(value) && isText(value['type']) && ['True', 'False', 'Unknown'].includes(value['status'] as string) && isText(value['reason']);

function checkConditions(value: unknown, _input: unknown, options: object): string | undefined {
  const wrong = listOf('conditions', isCondition)(value);
  if (wrong !== undefined) return wrong;
  const declared = (options as Loose)['conditions'] as readonly string[];
  const foreign = (value as readonly Loose[]).find((condition) => !declared.includes(condition['type'] as string));
  return foreign === undefined ? undefined : `condition ${String(foreign['type'])}, which the tap does not declare`;
}

const isRenderSet = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Symbol.iterator in value && 'add' in value && 'changePodTemplates' in value;

const isVerdict = (value: unknown): value is Loose =>
  isObject(value) && (isText(value['reject']) || (Number.isFinite(value['waitMs']) && (value['waitMs'] as number) >= 0));

/** Checks that every entry of `out` up to `count` is in the range that the tap declares. */
function checkRange(input: unknown, max: number, what: string): string | undefined {
  const { out, count } = input as Candidates<unknown>;
  for (let i = 0; i < count; i += 1) {
    const entry = out[i] as number;
    if (entry < 0 || entry > max) return `${entry} for candidate ${i}, where ${what}`;
  }
  return undefined;
}

const checkFilter: ResultRule['check'] = (_value, input, options) => {
  const { length } = (options as Loose)['reasons'] as readonly unknown[];
  return checkRange(input, length, `0 to ${length} was expected (${length} reasons are declared)`);
};
const checkScore: ResultRule['check'] = (_value, input, options) =>
  (options as Loose)['scale'] === 'points' ? checkRange(input, 100, '0 to 100 points were expected') : undefined;

const step: ResultRule = {
  check: optional('{ reject } or { waitMs }', isVerdict),
  denies: (value) => isVerdict(value) && 'reject' in value,
};

const rules: Readonly<Record<string, ResultRule>> = {
  'admission.mutate': { check: checkMutated },
  'admission.validate': {
    check: (value) => (value === undefined || isDenial(value) ? undefined : listOf('denials', isDenial)(value)),
    denies: (value) => !Array.isArray(value) || value.length > 0,
  },
  'admission.claim': { check: listOf('claims', isClaim) },
  'reconcile.render': { check: optional('a render set', isRenderSet) },
  'reconcile.observe': { check: checkConditions },
  'scheduling.filter': { check: checkFilter },
  'scheduling.score': { check: checkScore },
  'scheduling.cluster': {
    check: optional('the name of one of the clusters offered', (value, input) =>
      (input as { readonly clusters: readonly unknown[] }).clusters.includes(value),
    ),
  },
  'scheduling.preEnqueue': step,
  'scheduling.preFilter': step,
  'scheduling.permit': step,
  'scheduling.preBind': step,
  'scheduling.reserve': { check: optional('an undo function', (value) => typeof value === 'function') },
  'scheduling.postFilter': {
    check: optional('{ node, evict }', (value) => isObject(value) && isText(value['node']) && Array.isArray(value['evict'])),
  },
  'scheduling.bind': { check: optional('true', (value) => value === true) },
};

/** Returns the rule of a hook; hooks that only notify (telemetry, finalize) accept any result. */
export function ruleOf(hook: HookDeclaration): ResultRule | undefined {
  return rules[hook.name];
}
