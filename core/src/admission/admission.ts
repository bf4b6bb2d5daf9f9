import {
  type AdmissionOperation,
  type AdmissionRequest as TapRequest,
  type AnyKind,
  type Caller,
  hooks,
  platformEngine,
  type TapError,
} from '@tappaas/sdk';
import type { Dispatch, Scope, Selector, TapFailure } from '../kernel/hooks/dispatch.js';
import type { Admission, AdmissionRequest, ClaimRequest, Mutated, PluginClaim, TapDenial } from '../ports/admission.js';
import { admissionErrors } from './errors.js';

type JsonObject = AdmissionRequest['object'];

/** Hides confidential values from taps without the permission to see them. */
export interface Confidentiality {
  /** Whether a plugin has the permission `secrets:read`. */
  readonly isVisibleTo: (plugin: string) => boolean;
  /** Returns the object without its values. */
  readonly redacted: (object: JsonObject) => JsonObject;
  /** Returns the object with the values of `original` where redacted ones were left unchanged. */
  readonly restored: (object: JsonObject, original: JsonObject) => JsonObject;
}

export interface AdmissionOptions {
  readonly dispatch: Pick<Dispatch, 'has' | 'withSideEffects' | 'transform' | 'gate' | 'collectSync'>;
  readonly confidentiality: Confidentiality;
  /**
   * Whether only rights granted in the object's own namespace count for the caller; passed to taps, since a caller must not pass on other
   * rights.
   */
  readonly isProjectOnly: (where: Where) => boolean | Promise<boolean>;
}

/** The caller of a write, and the namespace of the object, if any. */
interface Where {
  readonly caller: Caller;
  readonly engine: string;
  readonly namespace?: string;
}

/** Makes admission, which calls the kernel's hooks. */
export function createAdmission(options: AdmissionOptions): Admission {
  return new HookAdmission(options);
}

const { mutate, validate, claim } = hooks.admission;

class HookAdmission implements Admission {
  readonly #dispatch: AdmissionOptions['dispatch'];
  readonly #confidentiality: Confidentiality;
  readonly #isProjectOnly: AdmissionOptions['isProjectOnly'];

  constructor({ dispatch, confidentiality, isProjectOnly }: AdmissionOptions) {
    this.#dispatch = dispatch;
    this.#confidentiality = confidentiality;
    this.#isProjectOnly = isProjectOnly;
  }

  /** @throws TAP_ADMISSION_DRY_RUN_REFUSED, TAP_ADMISSION_PLUGIN_FAILED, TAP_ADMISSION_ANSWER_INVALID */
  async mutate(written: AdmissionRequest): Promise<Mutated> {
    const selector = this.#selector(written, written.operation);
    if (!this.#dispatch.has(mutate, selector)) return { object: written.object, changes: [] };
    if (written.dryRun) this.#refuseSideEffects(mutate, selector);
    const request = await this.#told(written);
    const thread = {
      value: request.object,
      input: (object: JsonObject, plugin: string) => this.#view({ ...request, object }, plugin),
      take: (before: JsonObject, answered: unknown, plugin: string) => this.#taken(request, before, answered, plugin),
    };
    const { value, changes, failure } = await this.#dispatch.transform(mutate, selector, thread, scopeOf(request));
    if (failure) throw failed([failure]);
    return { object: value, changes, isProjectOnly: request.isProjectOnly };
  }

  /** @throws TAP_ADMISSION_DRY_RUN_REFUSED; TAP_ADMISSION_PLUGIN_FAILED when no tap denies but one could not be called */
  async validate(written: AdmissionRequest): Promise<readonly TapDenial[]> {
    const selector = this.#selector(written, written.operation);
    if (!this.#dispatch.has(validate, selector)) return [];
    if (written.dryRun) this.#refuseSideEffects(validate, selector);
    const request = await this.#told(written);
    const viewFor = (plugin: string): TapRequest<AnyKind> => this.#view(request, plugin);
    const { denials, failures } = await this.#dispatch.gate(validate, selector, inputOf(request), scopeOf(request), viewFor);
    if (denials.length === 0 && failures.length > 0) throw failed(failures);
    return [...denials, ...failures.map(failureCause)];
  }

  /**
   * Returns claims. Confidential values cannot be part of a claim, because names of claims are not sealed. @throws
   * TAP_ADMISSION_PLUGIN_FAILED
   */
  claims(about: ClaimRequest): readonly PluginClaim[] {
    const selector = this.#selector(about);
    if (!this.#dispatch.has(claim, selector)) return [];
    const object = about.isConfidential ? this.#confidentiality.redacted(about.object) : about.object;
    const { answers, failures } = this.#dispatch.collectSync(claim, selector, object, { tenant: about.caller?.tenant });
    if (failures.length > 0) throw failed(failures);
    return answers.flatMap(({ plugin, value }) => value.map((each) => ({ ...each, plugin })));
  }

  async #told(request: AdmissionRequest): Promise<AdmissionRequest & { readonly isProjectOnly: boolean }> {
    const { caller, engine } = request;
    const namespace = namespaceOf(request);
    const isProjectOnly =
      request.isProjectOnly ?? (await this.#isProjectOnly({ caller, engine, ...(namespace !== undefined && { namespace }) }));
    return { ...request, isProjectOnly };
  }

  #selector({ engine, group, kind }: ClaimRequest, operation?: AdmissionOperation): Selector {
    const named = engine === platformEngine ? '' : engine;
    return { engine: named, kind: { group, kind }, ...(operation && { operation }) };
  }

  #refuseSideEffects(hook: typeof mutate | typeof validate, selector: Selector): void {
    const [plugin] = this.#dispatch.withSideEffects(hook, selector);
    if (plugin === undefined) return;
    const message = `plugin ${plugin} has side effects at ${hook.name} that it cannot keep from on a dry run of a ${selector.kind?.kind}`;
    throw Object.assign(admissionErrors.TAP_ADMISSION_DRY_RUN_REFUSED({ message }), { plugin });
  }

  #view(request: AdmissionRequest, plugin: string): TapRequest<AnyKind> {
    const { redacted, isVisibleTo } = this.#confidentiality;
    if (!request.isConfidential || isVisibleTo(plugin)) return inputOf(request);
    const { object, previous } = request;
    return inputOf({ ...request, object: redacted(object), ...(previous && { previous: redacted(previous) }) });
  }

  #taken({ isConfidential }: AdmissionRequest, before: JsonObject, answered: unknown, plugin: string): JsonObject {
    if (!isObject(answered)) {
      const found = answered === null ? 'null' : Array.isArray(answered) ? 'a list' : typeof answered;
      const message = `plugin ${plugin} answered admission.mutate with ${found}, expected an object or nothing`;
      const error = admissionErrors.TAP_ADMISSION_ANSWER_INVALID({ message });
      error.plugin = plugin;
      throw error;
    }
    return isConfidential ? this.#confidentiality.restored(answered, before) : answered;
  }
}

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

const scopeOf = ({ signal, caller }: AdmissionRequest): Scope => ({ signal, tenant: caller.tenant });

/** Returns the namespace of an object; a namespace counts as being in itself, as in access control. */
function namespaceOf({ group, kind, object }: AdmissionRequest): string | undefined {
  const { namespace, name } = (object['metadata'] ?? {}) as { readonly namespace?: string; readonly name?: string };
  return group === '' && kind === 'Namespace' ? name : namespace;
}

function inputOf({ operation, caller, isProjectOnly, dryRun, object, previous }: AdmissionRequest): TapRequest<AnyKind> {
  return { operation, caller, ...(isProjectOnly && { isProjectOnly }), dryRun, object, ...(previous && { previous }) };
}

const failureCause = ({ plugin, error }: TapFailure): TapDenial => ({ field: '', reason: 'PluginFailed', message: error.message, plugin });

function failed(failures: readonly TapFailure[]): TapError {
  const message = failures
    .map(({ plugin, error }) => `plugin ${plugin} could not be asked, so the write is denied: ${error.message}`)
    .join('; ');
  const [first] = failures;
  const error = admissionErrors.TAP_ADMISSION_PLUGIN_FAILED({ message, ...(first && { cause: first.error }) });
  error.plugin = first?.plugin;
  return Object.assign(error, { causes: failures.map(failureCause) });
}
