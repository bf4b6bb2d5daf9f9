import type { Resources } from '@tappaas/sdk';
import { Engines, type EnginesOptions } from '../engines.js';

/** Wraps the resources of a plugin; the plugin receives the result instead. */
export type WrapResources = (resources: Resources, plugin: string, engine: string) => Resources;

/** Engines that allow a test to observe and disturb everything that plugins do on their own behalf. */
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
