import { platformErrors } from '../errors.js';
import type { IpcPort } from './ipc-channel.js';

/** Returns the connection to the parent process. @throws TAP_PROCESS_FAILED when there is none */
export function parentPort(process: NodeJS.Process): IpcPort {
  if (process.send === undefined) {
    throw platformErrors.TAP_PROCESS_FAILED({ message: 'a worker of the API can be started only by the platform' });
  }
  const send = process.send.bind(process);
  return {
    get connected() {
      return process.connected;
    },
    send: (message, handle, options, sent) => send(message, handle, options, sent),
    on: (event, listener) => process.on(event, listener),
    once: (event, listener) => process.once(event, listener),
    disconnect: () => process.disconnect?.(),
  };
}
