/** An open connection between the socket server of this process and those of the others. */
export interface OpenSocketAdapter {
  /** Creates an adapter for socket.io: takes a namespace of the library, and returns an object with the library's adapter interface. */
  make(namespace: object): object;
}

/**
 * Connects the socket servers of several processes, so that a message from one of them reaches the clients of all. Changes in the store do
 * not use it: every process watches the store itself.
 */
export interface SocketAdapter {
  readonly description: string;
  /**
   * Called when the first client of a process connects. While the adapter's backend is unavailable, clients of this process are still
   * served, with the messages of this process.
   *
   * @throws when the backend cannot be reached now; the process then works alone until a later client connects
   */
  open(): Promise<OpenSocketAdapter>;
}
