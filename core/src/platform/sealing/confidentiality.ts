import type { Confidentiality } from '../../admission/admission.js';
import type { Kernel } from '../../kernel/kernel.js';
import { redacted, restored } from '../../resources/redaction.js';

const permission = 'secrets:read';

/** Taps see the values of Secrets only when their plugin asked for it and was granted it. */
export function confidentialityOf(kernel: Kernel): Confidentiality {
  return {
    isVisibleTo: (plugin) => kernel.plugin(plugin)?.permissions?.secrets?.includes(permission) ?? false,
    redacted,
    restored,
  };
}
