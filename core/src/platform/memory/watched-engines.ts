import type { Resources } from '@tappaas/sdk';
import { Engines, type EnginesOptions } from '../engines.js';

/** Stands between a plugin and its resources; answers what the plugin is given instead. */
export type WrapResources = (resources: Resources, plugin: string, engine: string) => Resources;

/** Engines on which everything that plugins do in their own name can be watched and disturbed. */
export class WatchedEngines extends Engines {
  readonly #wrap: WrapResources;

  constructor(options: EnginesOptions, wrap: WrapResources) {
    super(options);
    this.#wrap = wrap;
  }

  override asPlugin(instance: string, engine: string): Resources {
    return this.#wrap(super.asPlugin(instance, engine), instance, engine);
  }
}
