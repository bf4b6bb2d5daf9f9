import type { PodTemplate } from '@tappaas/sdk';

/** Fills in what an ordinary process leaves unset; values that are set are kept. */
export function shapeStandard(draft: PodTemplate, defaults: { readonly cpu: string; readonly memory: string }): void {
  const spec = draft.spec;
  if (spec === undefined) return;
  spec.automountServiceAccountToken ??= false;
  for (const container of spec.containers) {
    const resources = (container.resources ??= {});
    const requests = { cpu: defaults.cpu, memory: defaults.memory, ...resources.requests };
    resources.requests = requests;
    resources.limits = { memory: requests.memory, ...resources.limits };
    container.securityContext ??= {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    };
  }
}
