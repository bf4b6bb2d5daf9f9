import type { Confidentiality } from '../../admission/admission.js';
import type { Kernel } from '../../kernel/kernel.js';
import { redacted, restored } from '../../resources/redaction.js';

const permission = 'secrets:read';

/** Makes the rule that taps see the values of Secrets only if their plugin was granted the permission. */
export function confidentialityOf(kernel: Kernel): Confidentiality {
  return {
    isVisibleTo: (plugin) => kernel.plugin(plugin)?.permissions?.secrets?.includes(permission) ?? false,
    redacted,
    restored,
  };
}
