/** What socket.io makes an adapter with: it is given a namespace of the library and answers an adapter for it. */
export type SocketAdapterMaker = (namespace: never) => object;

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
  open(): Promise<{ readonly make: SocketAdapterMaker }>;
}
