import type { Clock, TokenService } from '@tappaas/sdk';
import { SigningKeys, type SigningKeyRecord } from '../../identity/tokens/signing-keys.js';
import { createTokenService } from '../../identity/tokens/token-service.js';
import type { Kernel } from '../../kernel/kernel.js';
import { signerCheck } from '../access/platform-tokens.js';

/** Makes a token service whose keys are created on first use and lost with the process. */
export function memoryTokens(kernel: () => Promise<Kernel>, clock: Clock): TokenService {
  let stored: Awaited<ReturnType<SigningKeyRecord['load']>>;
  const record: SigningKeyRecord = {
    load: async () => stored,
    replace: async (value, revision) => {
      stored = { value, revision: revision + 1 };
      return true;
    },
  };
  const keys = new SigningKeys(record, clock, 'https://localhost');
  let opened: Promise<SigningKeys> | undefined;
  const open = async (): Promise<SigningKeys> => {
    await keys.refresh();
    return keys;
  };
  return createTokenService({ keys: () => (opened ??= open()), clock, mayLetSign: signerCheck(kernel) });
}
