import { definePlugin, deny, families, hooks, type Watches } from '@tappaas/sdk';
import { Application, Build, Release } from '@tappaas/sdk/kinds';
import { checkApplication } from './check-application.js';
import { checkClusterNames } from './cluster-names.js';
import { Dependents } from './dependencies.js';
import { hostClaims, reservedHosts } from './host-claims.js';
import { abandonBuild, prepareApplication, Secret } from './prepare-application.js';
import { checkReleaseWriter } from './release-writer.js';
import { renderApplication } from './render-application.js';
import { summarizeApplication } from './summarize-application.js';

/** Owns Applications: determines the image and other inputs, renders cluster objects, and reports the application's state in its status. */
export default definePlugin({
  id: 'controller-application',
  stability: 'beta',
  needs: { runtimes: families.runtime, clusters: families.cluster },
  permissions: {
    resources: [
      { kind: Application, verbs: ['get', 'list', 'watch', 'update'] },
      { kind: Build, verbs: ['get', 'list', 'watch', 'create', 'update'] },
      { kind: Secret, verbs: ['get'] },
      { kind: Release, verbs: ['get', 'list', 'watch', 'create', 'update', 'delete'] },
    ],
  },
  setup(host, _config, { runtimes, clusters }) {
    const dependents = new Dependents();
    const wakingDependents: Watches<typeof Application> = { kind: Application, wakes: (application) => dependents.of(application) };
    const suffixes = () => [...clusters.values()].map(({ ingress }) => ingress.hostSuffix);
    host.kind(Application, { check: checkApplication });
    host.kind(Release);
    host.tap(hooks.admission.validate, { kinds: [Application] }, ({ object }) => {
      if (runtimes.has(object.spec.runtime)) return undefined;
      const loaded = [...runtimes.keys()].toSorted().join(', ') || 'none';
      return deny({
        field: 'spec.runtime',
        reason: 'RuntimeUnknown',
        message: `no runtime "${object.spec.runtime}" is loaded; loaded: ${loaded}`,
      });
    });
    host.tap(hooks.admission.validate, { name: 'hosts', kinds: [Application] }, ({ object }) => reservedHosts(object, suffixes()));
    host.tap(hooks.admission.validate, { name: 'names', kinds: [Application] }, ({ object, previous }) =>
      checkClusterNames(object, previous),
    );
    host.tap(hooks.admission.validate, { name: 'releases', kinds: [Release] }, (write) => checkReleaseWriter(write));
    host.tap(hooks.admission.claim, { kinds: [Application] }, (application) => hostClaims(application, suffixes()));
    host.controller({
      kind: Application,
      parallelMax: 32,
      operation: { verb: 'deploy' },
      watches: [
        { kind: Build, wakes: 'owner' },
        { kind: Secret, wakes: 'namespace' },
        // A list of watches contains several kinds, so their types are erased here.
        wakingDependents as Watches,
      ],
      prepare: (application, context) => prepareApplication(application, context, { dependents, suffixes: suffixes() }),
      abandon: abandonBuild,
      render: (application, facts) => renderApplication(application, facts, runtimes),
      summarize: summarizeApplication,
    });
  },
});
