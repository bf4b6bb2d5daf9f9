import { definePlugin, families, runtimeType, Type } from '@tappaas/sdk';
import { shapeStandard } from './shape.js';

const config = Type.Object({
  cpu: Type.String({ default: '100m', description: 'Processor time of a process that requests none.' }),
  memory: Type.String({ default: '128Mi', description: 'Memory of a process that requests none.' }),
});

/** Ordinary processes: requests as given or by default, memory limited to the request, no privileges. */
export default definePlugin({
  id: 'runtime-standard',
  stability: 'beta',
  config,
  example: {},
  setup(host, { cpu, memory }) {
    host.provide(families.runtime, () =>
      runtimeType({
        description: 'Ordinary processes with a fair share of a node and no privileges.',
        parameters: Type.Object({}),
        requires: [],
        shape: (draft) => shapeStandard(draft, { cpu, memory }),
      }),
    );
  },
});
