import type { Channel } from '../../store/remote/channel.js';

/** The end of the way between a process and its child, as `process` and `ChildProcess` both have it. */
export interface IpcPort {
  readonly connected: boolean;
  send(message: object, handle: undefined, options: undefined, sent: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
  disconnect(): void;
}

interface Envelope {
  readonly tappaas: string;
  readonly message: unknown;
}

/** One of several channels that share the way between two processes, told apart by name. */
export function ipcChannel<Out, In>(port: IpcPort, name: string): Channel<Out, In> {
  return {
    send(message, taken) {
      // A child that has gone is heard of as the end of the channel.
      if (port.connected) port.send({ tappaas: name, message }, undefined, undefined, () => taken?.());
    },
    onMessage: (listener) =>
      void port.on('message', (received) => {
        if (isEnvelope(received) && received.tappaas === name) listener(received.message as In);
      }),
    onClose: (listener) => void port.once('disconnect', listener),
    close: () => {
      if (port.connected) port.disconnect();
    },
  };
}

function isEnvelope(received: unknown): received is Envelope {
  return typeof received === 'object' && received !== null && 'tappaas' in received && 'message' in received;
}
