/** What a room is about; see the documentation of sockets. */
export type RoomRequest =
  | ({ readonly topic: 'objects'; readonly group?: string; readonly version: string; readonly plural: string } & RoomSelection)
  | ({ readonly topic: 'events' | 'operations' } & RoomSelection)
  | {
      readonly topic: 'logs';
      readonly engine?: string;
      readonly namespace: string;
      readonly pod: string;
      readonly container?: string;
      readonly tailLines?: number;
    }
  | { readonly topic: 'metrics'; readonly names: readonly string[] };

interface RoomSelection {
  readonly engine?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Absent: all objects first, then what becomes of them. */
  readonly resourceVersion?: string;
}

/** What a room tells. */
export type RoomMessage =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly object?: unknown;
      /** Kind and metadata of an object that is too large for a message, or that went while the connection was broken. */
      readonly reference?: unknown;
      /** Join with it to go on behind this; before `SYNCED` it is that of the object, which says nothing of what has been told. */
      readonly resourceVersion: string;
    }
  /** All objects that there are have been told. */
  | { readonly type: 'SYNCED'; readonly resourceVersion: string }
  | { readonly type: 'LINES'; readonly lines: readonly string[] }
  | { readonly type: 'METRICS'; readonly replica: string; readonly text: string }
  /** History was gone: all objects are told anew, and what is not among them has gone. */
  | { readonly type: 'RESYNC' };

/** A message of the platform, as it comes. */
export interface Told {
  readonly room: string;
  readonly type?: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object?: Named;
  readonly reference?: Named;
  readonly lines?: readonly string[];
  readonly replica?: string;
  readonly text?: string;
}

/** Why the platform has ended a room. */
export interface Closing {
  readonly room?: string;
  readonly resync?: boolean;
  readonly error?: { readonly code?: number };
}

/** As much of an object, or of a reference to one, as a room looks at. */
export interface Named {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}
