import type { EnginePort } from '../../../dist/ports/engine.js';

/** The engine as an object of its own, so that a test can replace one of its methods. */
export function enginePort(engine: EnginePort): EnginePort {
  return {
    name: engine.name,
    kinds: () => engine.kinds(),
    find: (path) => engine.find(path),
    get: (target, options) => engine.get(target, options),
    getMany: (kind, keys, options) => engine.getMany(kind, keys, options),
    list: (query) => engine.list(query),
    watch: (query) => engine.watch(query),
    write: (change, options) => engine.write(change, options),
  };
}
