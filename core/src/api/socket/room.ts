/** A room as what fills it sees it: one topic, told to one client. */
export interface Room {
  /** What the client calls it: comes with every message. */
  readonly name: string;
  /** Aborts when the client leaves the room or goes, or may no longer be told. */
  readonly signal: AbortSignal;
  /** The join has succeeded; what fails later is told by `closed`. */
  stands(): void;
  /** Sends an encoded packet at the client's pace, after having made sure that the client still may be told. */
  send(packet: string | Buffer, reached?: string): Promise<void>;
}
