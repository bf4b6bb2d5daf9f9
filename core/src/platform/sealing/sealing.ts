import type { SealingService } from '@tappaas/sdk';
import { callingPlugin } from '../../kernel/kernel.js';
import type { Sealer } from '../../secrets/envelope.js';
import { platformErrors } from '../errors.js';

const textBytesMax = 98_304;
/** Envelopes are bound to the plugin and their subject, and to this. */
const uid = 'plugin';

/** Makes the service that seals texts for plugins; no instance can open what another has sealed. */
export function sealingService(sealer: () => Promise<Sealer>): SealingService {
  return {
    async seal(text, about) {
      const key = keyOf(about);
      const bytes = Buffer.from(text);
      if (bytes.length > textBytesMax)
        throw platformErrors.TAP_SEAL_TOO_LARGE({ message: `a text of ${bytes.length} bytes, at most ${textBytesMax} are sealed` });
      return Buffer.from(await (await sealer()).seal(bytes, { key, uid })).toString('base64');
    },
    async open(sealed, about) {
      const key = keyOf(about);
      return Buffer.from(await (await sealer()).open(Buffer.from(sealed, 'base64'), key)).toString();
    },
  };
}

/** @throws TAP_PLUGIN_PERMISSION */
function keyOf(about: string): string {
  const plugin = callingPlugin();
  if (plugin === undefined) throw platformErrors.TAP_PLUGIN_PERMISSION({ message: 'only a plugin seals, in a call of its own' });
  return `sealed/${plugin}/${about}`;
}
