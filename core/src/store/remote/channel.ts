/** One end of an ordered, reliable way for messages between two processes; either side may vanish at any moment. */
export interface Channel<Out, In> {
  /** `taken` hears that the message has left this process. Sending on a closed channel does nothing. */
  send(message: Out, taken?: () => void): void;
  onMessage(listener: (message: In) => void): void;
  /** Hears once that nothing will come any more. */
  onClose(listener: () => void): void;
  close(): void;
}
