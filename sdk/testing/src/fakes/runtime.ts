import { definePlugin, families, runtimeType, Type } from '@tappaas/sdk';

/** A runtime that leaves every process as it is; load it as `standard` where an application needs one. */
export const fakeRuntime = definePlugin({
  id: 'fake-runtime',
  setup(host) {
    host.provide(families.runtime, () =>
      runtimeType({ description: 'Leaves every process as it is.', parameters: Type.Object({}), requires: [], shape: () => undefined }),
    );
  },
});
