import type { Namespace } from 'socket.io';
import { apiErrors } from '../errors.js';

/** Makes the adapter of a socket.io namespace; its shape is checked at runtime. */
export interface AdapterMaker {
  make(namespace: object): object;
}

type Adapter = Namespace['adapter'];

/** The methods that socket.io calls on an adapter. */
const methods = [
  'init',
  'close',
  'addAll',
  'del',
  'delAll',
  'broadcast',
  'sockets',
  'socketRooms',
  'fetchSockets',
  'serverSideEmit',
] as const;

/** Wraps a plugin's adapter in the form that socket.io expects: a constructor, called for each namespace. */
export function adapterOf(maker: AdapterMaker): (namespace: Namespace) => Adapter {
  return function joined(namespace) {
    const made = maker.make(namespace);
    if (isAdapter(made)) return made;
    const missing = methods.filter((method) => !(method in made));
    throw apiErrors.TAP_API_INTERNAL({
      message: `what joins the sockets of the processes is no adapter of socket.io: it has no ${missing.join(', ')}`,
    });
  };
}

function isAdapter(made: object): made is Adapter {
  return methods.every((method) => method in made);
}
