import type { PluginManifest } from '../manifest/manifest.js';
import type { Position } from '../problem.js';

/** An instance in the graph: its manifest, its id, and where it is configured. */
export interface GraphNode {
  readonly id: string;
  readonly manifest: PluginManifest;
  /** Secret store instances that its configuration refers to. */
  readonly stores: readonly string[];
  readonly at: Position | undefined;
}

/** A service that does not come from a plugin. */
export interface GivenProvider {
  readonly id: string;
  readonly key?: string;
}
