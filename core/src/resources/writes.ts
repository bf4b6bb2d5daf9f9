import type { CreateOrUpdate, DeleteCollection, PatchWrite, Served, Target, Write, WriteResult } from '../ports/engine.js';
import { removeAll } from './collection-deletion.js';
import { concealBody } from './concealment.js';
import { fromHub, toHub, type VersionedView } from './conversion.js';
import { create } from './creation.js';
import { remove } from './deletion.js';
import { applying } from './applying.js';
import { tracking } from './field-ownership.js';
import type { EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import { Idempotency } from './idempotency.js';
import { takeIn } from './intake.js';
import { modify, patching, refuseOtherName, replacement } from './modification.js';
import { invalid } from './refusal.js';
import { refusePart, type Reads } from './reads.js';
import type { Found } from './registry.js';
import { asScale } from './scale.js';
import { StoredObject, type Body } from './stored-object.js';
import { validate } from './schema/validation.js';
import { findKind, namespaceOf } from './target.js';
import type { WriteOptions } from './write-options.js';

/** Handles all writes of one engine. */
export class Writes {
  readonly #state: EngineState;
  readonly #reads: Reads;
  readonly #views: VersionedView;
  readonly #idempotency: Idempotency;

  constructor(state: EngineState, reads: Reads, views: VersionedView) {
    this.#state = state;
    this.#reads = reads;
    this.#views = views;
    this.#idempotency = new Idempotency(state);
  }

  /** @throws TapErrors only */
  async write(write: Write, options: WriteOptions): Promise<WriteResult> {
    const found = findKind(this.#state.registry(), write.target);
    refuseVerb(found, write);
    if (!found.entry.isConfidential) return this.#dispatch(found, write, options);
    return this.#dispatch(found, write, options).catch((error: unknown) => {
      throw concealBody(error);
    });
  }

  async #dispatch(found: Found, write: Write, options: WriteOptions): Promise<WriteResult> {
    switch (write.verb) {
      case 'create':
        return this.#create(found, write, options);
      case 'update':
      case 'patch':
        return this.#modify(found, write, options);
      case 'delete':
        return this.#answer(
          found,
          undefined,
          await remove(this.#state, { found, target: write.target, options, deletion: write.options }),
          [],
        );
      case 'deletecollection':
        return this.#deleteCollection(found, write, options);
    }
  }

  async #create(found: Found, write: CreateOrUpdate, options: WriteOptions): Promise<WriteResult> {
    const { object, warnings } = takeIn(write.body, write.mediaType, found.version, options.fieldValidation);
    refuseOtherName(write.target, object);
    if (found.entry.virtual) return this.#virtual(found, write.target, object as Body, warnings, options);
    const own = tracking(this.#state, { found, manager: options.fieldManager, subresource: undefined });
    const creation = { found, target: write.target, object: toHub(object, found.version, found.entry), options, own };
    const isRepeatable = options.idempotencyKey !== undefined && !options.dryRun;
    const created = isRepeatable
      ? await this.#idempotency.once(found, write, options, (record) => create(this.#state, { ...creation, record }))
      : await create(this.#state, creation);
    return this.#answer(found, undefined, created, warnings);
  }

  async #virtual(found: Found, target: Target, object: Body, warnings: readonly string[], options: WriteOptions): Promise<WriteResult> {
    const { caller, requestId, signal } = options;
    // The handler sets the status; Go clients send an empty one, which need not be valid.
    const { status: _, ...written } = object as Body & { readonly status?: unknown };
    const causes = validate(found.version.type, written);
    if (causes.length > 0) throw invalid(found.entry, object, causes);
    const namespace = found.entry.isNamespaced ? namespaceOf(target) : undefined;
    const answer = await found.entry.virtual?.(written, { caller, namespace, requestId, signal });
    return { outcome: 'created', served: plain(answer ?? written), warnings };
  }

  async #modify(found: Found, write: CreateOrUpdate | PatchWrite, options: WriteOptions): Promise<WriteResult> {
    const { target } = write;
    if (write.verb === 'patch' && write.patchType === 'apply') return this.#apply(found, write, options);
    const own = tracking(this.#state, { found, manager: options.fieldManager, subresource: target.subresource });
    const { change, warnings } = write.verb === 'patch' ? patching(write, found, options) : replacement(write, found, options);
    const modification = { found, target, options, own, change, needsVersion: write.verb === 'update' };
    return this.#answer(found, target.subresource, await modify(this.#state, modification), warnings);
  }

  async #apply(found: Found, write: PatchWrite, options: WriteOptions): Promise<WriteResult> {
    const { applied, warnings } = await applying(this.#state, { found, write, options });
    return this.#answer(found, write.target.subresource, applied, warnings);
  }

  async #deleteCollection(found: Found, write: DeleteCollection, options: WriteOptions): Promise<WriteResult> {
    const { target, labelSelector, fieldSelector } = write;
    const { signal } = options;
    const filter = { ...(labelSelector !== undefined && { labelSelector }), ...(fieldSelector !== undefined && { fieldSelector }) };
    const page = await this.#reads.list({ target, ...filter, signal });
    const targets = page.items.map(({ object }) => {
      const { name, namespace } = (object as Body).metadata;
      return { ...target, name, ...(namespace !== undefined && { namespace }) };
    });
    await options.authorizeDeletes?.(targets);
    const removed = await removeAll(this.#state, { found, targets, options, deletion: write.options });
    const items = removed.map(({ object }) => fromHub(object, found.version));
    const list = {
      kind: `${found.entry.kind}List`,
      apiVersion: found.version.apiVersion,
      metadata: { resourceVersion: page.resourceVersion },
      items,
    };
    return { outcome: 'deleted', served: plain(list), warnings: [] };
  }

  #answer(
    found: Found,
    subresource: string | undefined,
    { outcome, stored, operation }: Pick<WriteResult, 'outcome' | 'operation'> & { readonly stored: StoredObject },
    warnings: readonly string[],
  ): WriteResult {
    const { epoch } = this.#state.store;
    const served = subresource === 'scale' ? asScale(stored, found.entry, epoch) : this.#views.at(stored, found.version, epoch);
    return { outcome, served, warnings, ...(operation && { operation }) };
  }
}

function refuseVerb(found: Found, { verb, target }: Write): void {
  const { entry } = found;
  if (entry.isOrphaned) {
    const message = `${entry.plural}: plugin ${entry.plugin}, which contributes the kind, is not loaded, so its objects can only be read`;
    throw resourceErrors.TAP_KIND_READ_ONLY({ message });
  }
  const { subresource } = target;
  refusePart(found, target);
  const isPart = subresource !== undefined && subresource !== '';
  if (entry.verbs.has(verb) && (!isPart || verb === 'update' || verb === 'patch')) return;
  throw resourceErrors.TAP_REQUEST_METHOD({ message: `${entry.plural}${isPart ? `/${subresource}` : ''}: ${verb} is not served` });
}

/** Wraps a result that is not stored. */
function plain(object: object): Served {
  return { object, bytes: new TextEncoder().encode(JSON.stringify(object)), resourceVersion: '' };
}
