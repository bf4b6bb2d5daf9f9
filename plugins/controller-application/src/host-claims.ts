import { deny, type Claim, type Immutable } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';

/** Each host and path that an application routes is its own; the claim is held in the write's transaction. */
export function hostClaims(application: Immutable<ApplicationObject>): readonly Claim[] {
  return (application.spec.routes ?? []).flatMap((route, index) =>
    route.host === undefined
      ? []
      : [
          {
            unique: `host/${route.host}${route.path}`,
            denial: deny({
              field: `spec.routes[${index}].host`,
              reason: 'HostTaken',
              message: `${route.host}${route.path} is routed by another application`,
            }),
          },
        ],
  );
}
