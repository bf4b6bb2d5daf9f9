import { definePlugin, families } from '@tappaas/sdk';
import { IndexWriter } from './image-layout.js';
import { lacksModules } from './lacks-modules.js';
import { packImage } from './pack-image.js';
import { findStart } from './start-command.js';

/**
 * Packs source unchanged: no compiler, no installer, no network. The start command comes from a Procfile, a
 * package.json or a default file.
 */
export default definePlugin({
  id: 'build-source',
  stability: 'beta',
  setup(host) {
    host.provide(families.builder, () => {
      const index = new IndexWriter();
      return {
        description: 'Packs the source as it is into an image; Procfile or package.json say what to run.',
        async build(request, context) {
          const start = await findStart(request.sourceDirectory);
          context.output(start ? `start command from ${start.foundIn}: ${start.command.join(' ')}` : 'nothing here says what to run');
          if (start && (await lacksModules(request.sourceDirectory)))
            context.output(
              'package.json names dependencies and there is no node_modules: nothing is installed here, so bundle them or send them along',
            );
          const signal = AbortSignal.any([context.signal, context.cancelled]);
          const image = await packImage({ ...request, command: start?.command ?? [], signal }, index);
          context.output(image.cached ? `image ${image.digest} was there already` : `image ${image.digest} written`);
          return { imageDigest: image.digest, cached: image.cached, ...(start && { startedBy: start.foundIn }) };
        },
      };
    });
  },
});
