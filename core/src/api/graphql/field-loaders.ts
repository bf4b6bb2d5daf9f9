import DataLoader from 'dataloader';
import type { Call, ServedField } from '../contributions.js';
import type { ObjectBody } from './object-reader.js';

/** Resolves each plugin field once for all objects of an operation that select it with the same arguments. */
export class FieldLoaders {
  readonly #call: Call;
  readonly #loaders = new Map<ServedField, Map<string, DataLoader<ObjectBody, unknown>>>();

  constructor(call: Call) {
    this.#call = call;
  }

  load(field: ServedField, object: ObjectBody, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const byArguments = this.#loaders.get(field) ?? new Map<string, DataLoader<ObjectBody, unknown>>();
    this.#loaders.set(field, byArguments);
    const id = JSON.stringify(args);
    const loader = byArguments.get(id) ?? new DataLoader<ObjectBody, unknown>((objects) => field.resolve(objects, args, this.#call));
    byArguments.set(id, loader);
    return loader.load(object);
  }
}
