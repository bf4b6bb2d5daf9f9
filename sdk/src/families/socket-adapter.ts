/** What joins one process to the others, once it is open. */
export interface OpenSocketAdapter {
  /** Makes an adapter of socket.io: it is given a namespace of the library, and answers what the library asks of an adapter. */
  make(namespace: object): object;
}

/**
 * Joins the socket servers of several processes, so that what one of them knows reaches the clients of all. What comes from the store does
 * not go through it: every process watches that itself.
 */
export interface SocketAdapter {
  readonly description: string;
  /**
   * Asked when the first client of a process comes. While what it stands on is away, clients of this process are served all the same, with
   * what this process knows.
   *
   * @throws when it cannot be reached now; the process then stands alone until a later client comes
   */
  open(): Promise<OpenSocketAdapter>;
}
