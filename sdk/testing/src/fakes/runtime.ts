import { definePlugin, families, runtimeType, Type } from '@tappaas/sdk';

/** A runtime that leaves every process unchanged; load it as `standard` if an application needs a runtime. */
export const fakeRuntime = definePlugin({
  id: 'fake-runtime',
  setup(host) {
    host.provide(families.runtime, () =>
      runtimeType({ description: 'Leaves every process as it is.', parameters: Type.Object({}), requires: [], shape: () => undefined }),
    );
  },
});
