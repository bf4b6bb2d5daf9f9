/** One end of an ordered, reliable message channel between two processes. The other end may disappear at any moment. */
export interface Channel<Out, In> {
  /** Sends a message; `taken` is called once it has left this process. Sending on a closed channel does nothing. */
  send(message: Out, taken?: () => void): void;
  onMessage(listener: (message: In) => void): void;
  /** Calls the listener once, when no more messages will arrive. */
  onClose(listener: () => void): void;
  close(): void;
}
