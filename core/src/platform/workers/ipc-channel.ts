import type { Channel } from '../../store/remote/channel.js';

/** One end of the connection between a process and its child, as implemented by `process` and `ChildProcess`. */
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

/** Makes one of several named channels that share the connection between two processes. */
export function ipcChannel<Out, In>(port: IpcPort, name: string): Channel<Out, In> {
  return {
    send(message, taken) {
      // If the child has gone, the closing of the channel reports it.
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
