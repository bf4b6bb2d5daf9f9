/** A room from the view of the task that fills it: one topic for one client. */
export interface Room {
  /** Name of the room, part of every message. */
  readonly name: string;
  /** Aborts when the client leaves or disconnects, or loses access. */
  readonly signal: AbortSignal;
  /** Acknowledges the join, with warnings if there are any; later failures are reported by `closed`. */
  stands(warnings?: readonly string[]): void;
  /** Sends an encoded packet at the client's pace, after checking access. */
  send(packet: string | Buffer, reached?: string): Promise<void>;
}
