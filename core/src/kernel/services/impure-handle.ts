import { lifecycleErrors } from '../errors.js';

/** Makes the placeholder of a service while `setup` runs; any access is an error. */
export function impureHandle(plugin: string, service: string): object {
  const refuse = (): never => {
    throw impureUse(plugin, `service ${service}`);
  };
  return new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, set: refuse });
}

export function impureUse(plugin: string, what: string): Error {
  const error = lifecycleErrors.TAP_SETUP_IMPURE({ message: `setup of plugin ${plugin} uses ${what}` });
  error.plugin = plugin;
  return error;
}
