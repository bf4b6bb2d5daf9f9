import type { PluginManifest } from '../manifest/manifest.js';
import type { Position } from '../problem.js';

/** An instance as the graph sees it: what it is, what it is called, and where it was configured. */
export interface GraphNode {
  readonly id: string;
  readonly manifest: PluginManifest;
  /** Secret store instances that its configuration points to. */
  readonly stores: readonly string[];
  readonly at: Position | undefined;
}

/** A service that does not come from a plugin. */
export interface GivenProvider {
  readonly id: string;
  readonly key?: string;
}
