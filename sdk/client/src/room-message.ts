/** The request for a room; see the documentation of sockets. */
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
  /** Where to start; absent: all objects first, then their changes. */
  readonly resourceVersion?: string;
}

/** A message of a room. */
export type RoomMessage =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly object?: unknown;
      /** Kind and metadata of an object that is too large for a message, or that was deleted while the connection was broken. */
      readonly reference?: unknown;
      /** Join with it to continue after this message; before `SYNCED` it is the object's own version, which does not mark the progress. */
      readonly resourceVersion: string;
    }
  /** All existing objects have been delivered. */
  | { readonly type: 'SYNCED'; readonly resourceVersion: string }
  | { readonly type: 'LINES'; readonly lines: readonly string[] }
  | { readonly type: 'METRICS'; readonly replica: string; readonly text: string }
  /** The history was gone: all objects are delivered again, and objects missing among them have been deleted. */
  | { readonly type: 'RESYNC' };

/** A message of the platform, as received. */
export interface RoomEvent {
  readonly room: string;
  readonly type?: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object?: Named;
  readonly reference?: Named;
  readonly lines?: readonly string[];
  readonly replica?: string;
  readonly text?: string;
}

/** The reason why the platform has ended a room. */
export interface Closing {
  readonly room?: string;
  readonly resync?: boolean;
  readonly error?: { readonly code?: number };
}

/** The part of an object, or of a reference to one, that a room uses. */
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
