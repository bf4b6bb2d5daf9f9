import type { Clock, Logger, ResourceStore, TokenService } from '@tappaas/sdk';
import type { PublishedKeys } from '../../api/published-keys.js';
import { SigningKeys, type SigningKeyRecord } from '../../identity/tokens/signing-keys.js';
import { createTokenService } from '../../identity/tokens/token-service.js';
import { callingPlugin, type Kernel } from '../../kernel/kernel.js';
import type { Sealer } from '../../secrets/envelope.js';
import { platformErrors } from '../errors.js';
import { sealedRecord } from '../sealing/sealed-record.js';

/** Key of the sealed signing keys in the store. */
const signingKeysKey = 'identity/signing-keys';

/** The platform's token service. It exists before the store does, since plugins use it only after they have started. */
export class PlatformTokens {
  readonly service: TokenService;
  readonly #keys = Promise.withResolvers<SigningKeys>();
  #opened: SigningKeys | undefined;

  constructor(kernel: () => Promise<Kernel>, clock: Clock) {
    this.service = createTokenService({ keys: () => this.#keys.promise, clock, mayLetSign: signerCheck(kernel) });
  }

  /** Reads or creates the keys, and keeps them fresh until `signal` aborts. */
  async open(parts: {
    readonly store: ResourceStore;
    readonly sealer: Sealer;
    readonly issuer: string;
    readonly clock: Clock;
    readonly log: Logger;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { store, sealer, issuer, clock, log, signal } = parts;
    const record: SigningKeyRecord = sealedRecord(store, signingKeysKey, sealer);
    const keys = new SigningKeys(record, clock, issuer);
    await keys.refresh();
    this.#opened = keys;
    this.#keys.resolve(keys);
    void keys.keepFresh(signal, (error) => log.warn('the keys that tokens are signed with were not looked after', { error }));
  }

  /** The keys that the API publishes. */
  published(): PublishedKeys | undefined {
    return this.#opened && { issuer: this.#opened.issuer, keys: this.#opened.published };
  }
}

/** Makes a check that lets only plugins with the permission sign. It throws TAP_PLUGIN_PERMISSION. */
export function signerCheck(kernel: () => Promise<Kernel>): () => Promise<void> {
  return async () => {
    const plugin = callingPlugin();
    const state = plugin === undefined ? undefined : (await kernel()).plugin(plugin);
    if (state?.permissions?.identity?.signs === true) return;
    throw platformErrors.TAP_PLUGIN_PERMISSION({
      message: `plugin ${plugin ?? 'unknown'} may not sign tokens: its permissions do not say "identity: { signs: true }"`,
    });
  };
}
