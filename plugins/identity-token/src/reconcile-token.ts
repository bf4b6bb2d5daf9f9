import type { AuditRecorder, Condition, Context, CredentialRegister, Immutable, Outcome, ReconcileContext } from '@tappaas/sdk';
import { ApiToken, type ApiTokenObject } from './contract.js';
import { credentialIdOf, endOf, madeWith } from './made-with.js';
import { dayMs, type Settings } from './settings.js';

type Token = Immutable<ApiTokenObject>;

/** Keeps conditions up to date, reports revocations, and deletes tokens that expired long ago. */
export class TokenKeeper {
  readonly #settings: Settings;
  readonly #credentials: CredentialRegister;
  readonly #audit: AuditRecorder;
  /** The last reconciled generation of each token; a change of the spec may restrict or end it, so its credential is revoked then. */
  readonly #lastGeneration = new Map<string, number>();

  constructor(settings: Settings, credentials: CredentialRegister, audit: AuditRecorder) {
    this.#settings = settings;
    this.#credentials = credentials;
    this.#audit = audit;
  }

  async reconcile(token: Token, context: ReconcileContext<typeof ApiToken>): Promise<Outcome> {
    const { uid, name, generation } = token.metadata;
    const lastGeneration = this.#lastGeneration.get(uid);
    if (await this.#endedWithMaker(token, context)) return undefined;
    if (lastGeneration !== undefined && lastGeneration !== generation) await this.#credentials.revoked([credentialIdOf(token)]);
    if (lastGeneration !== generation) await this.#shorten(token, context);
    this.#lastGeneration.set(uid, generation);
    const nowMs = context.clock.nowMs();
    const endMs = endOf(token.spec);
    const deletedAtMs = endMs + this.#settings.expiredKeptDays * dayMs;
    if (deletedAtMs <= nowMs) {
      await context.asPlugin.delete(ApiToken, { name }, { uid });
      return undefined;
    }
    await context.setStatus({}, [conditionOf(token, endMs <= nowMs)]);
    const nextMs = endMs > nowMs ? endMs : deletedAtMs;
    return nextMs === Infinity ? undefined : { againAfterMs: nextMs - nowMs };
  }

  /** Called before a deleted token is removed; also ends the tokens that were created with it. */
  async finalize(token: Token, context: Pick<Context, 'asPlugin'>): Promise<undefined> {
    this.#lastGeneration.delete(token.metadata.uid);
    await this.#credentials.revoked([credentialIdOf(token)]);
    for (const made of await madeWith(token.metadata, context)) await this.#end(made, token.metadata.name, context);
    return undefined;
  }

  /** Ends a token whose maker no longer exists, such as one that was being created while its maker was revoked. Returns whether it did. */
  async #endedWithMaker(token: Token, context: Pick<Context, 'asPlugin' | 'clock'>): Promise<boolean> {
    const maker = token.spec.madeWith;
    if (maker === undefined) return false;
    const found = await context.asPlugin.get(ApiToken, { name: maker.name });
    if (found?.metadata.uid === maker.uid && found.metadata.deletionTimestamp === undefined) return false;
    // An expired maker is deleted after a while. Its tokens expired no later than it, and stay listed for as long as other expired tokens.
    if (endOf(token.spec) <= context.clock.nowMs()) return false;
    await this.#end(token, maker.name, context);
    return true;
  }

  /** Shortens the tokens that were created with this one when it now ends earlier. */
  async #shorten({ metadata, spec }: Token, context: Pick<Context, 'asPlugin'>): Promise<void> {
    for (const made of await madeWith(metadata, context)) {
      if (endOf(made.spec) <= endOf(spec)) continue;
      const { name, resourceVersion } = made.metadata;
      await context.asPlugin.patch(ApiToken, { name }, { metadata: { resourceVersion }, spec: { expiresAt: spec.expiresAt } });
    }
  }

  async #end(
    { metadata: { name, uid, deletionTimestamp }, spec }: Token,
    maker: string,
    { asPlugin }: Pick<Context, 'asPlugin'>,
  ): Promise<void> {
    if (deletionTimestamp !== undefined) return;
    const { user = '', groups = [], tenant } = spec;
    const caller = { name: user, groups, ...(tenant !== undefined && { tenant }) };
    await this.#audit.record({
      caller,
      verb: 'delete',
      kind: ApiToken,
      name,
      reason: `the token "${maker}" that it was made with has ended`,
    });
    await asPlugin.delete(ApiToken, { name }, { uid });
  }
}

function conditionOf({ spec }: Token, isExpired: boolean): Condition {
  if (spec.sha256 === undefined) {
    return { type: 'Ready', status: 'False', reason: 'NotIssued', message: 'no secret was issued yet; POST …/issue makes one' };
  }
  return isExpired
    ? { type: 'Ready', status: 'False', reason: 'Expired', message: `it was good until ${spec.expiresAt ?? ''}; make another one` }
    : { type: 'Ready', status: 'True', reason: 'Issued', message: 'it is good' };
}
