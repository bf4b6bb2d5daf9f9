import { definePlugin, families, Type } from '@tappaas/sdk';
import { Build } from '@tappaas/sdk/kinds';
import { checkBuild, reconcileBuild } from './reconcile-build.js';
import { createSourceStore } from './source-store.js';
import { sourceRoutes } from './source-routes.js';

const config = Type.Object({
  directory: Type.String({ default: './data/builds', description: 'Where uploaded source is kept, by digest.' }),
  images: Type.String({ default: './data/images', description: 'OCI image layout that takes the images; clusters read the same one.' }),
  uploadBytesMax: Type.Integer({
    default: 67_108_864,
    minimum: 1024,
    maximum: 1_073_741_824,
    description: 'Largest source archive, bytes.',
  }),
  unpackedBytesMax: Type.Integer({
    default: 536_870_912,
    minimum: 1024,
    maximum: 8_589_934_592,
    description: 'Largest source once unpacked, bytes.',
  }),
  entriesMax: Type.Integer({
    default: 50_000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Maximum number of files and folders in a source archive.',
  }),
  sentMax: Type.Integer({
    default: 1_000,
    minimum: 1,
    maximum: 100_000,
    description:
      'Maximum number of sources, each for a namespace, kept for one tenant, or for one user without a tenant: beyond it the oldest that no build needs is removed, and its archive too unless someone else has sent it.',
  }),
  sentBytesMax: Type.Integer({
    default: 10_737_418_240,
    minimum: 1024,
    maximum: 1_099_511_627_776,
    description:
      'Maximum bytes of source archives kept for one tenant, or for one user without a tenant; the oldest are removed as with sentMax.',
  }),
  parallelMax: Type.Integer({ default: 2, minimum: 1, maximum: 64, description: 'Builds at once.' }),
});

/** Maximum time that the kernel allows a reconcile. */
const buildMsMax = 1_800_000;

/** Owns Builds: takes source archives, passes them to the builder that a Build names, and records image, output and times. */
export default definePlugin({
  id: 'controller-build',
  stability: 'beta',
  config,
  example: {},
  needs: { builders: families.builder },
  permissions: { resources: [{ kind: Build, verbs: ['get', 'list', 'watch', 'update'] }] },
  setup(host, settings, { builders }) {
    const store = createSourceStore(settings);
    host.kind(Build, { check: checkBuild });
    for (const route of sourceRoutes(store, settings.uploadBytesMax)) host.http(route);
    host.controller({
      kind: Build,
      parallelMax: settings.parallelMax,
      runMsMax: buildMsMax,
      reconcile: (build, context) => reconcileBuild(build, { builders, store, imagesDirectory: settings.images }, context),
    });
  },
});
