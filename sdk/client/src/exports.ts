export {
  ApiError,
  GraphQlError,
  ResumeError,
  UnreachableError,
  type GraphQlProblem,
  type RefusalCause,
  type UnreachableReason,
} from './errors.js';
export type { GraphQlRequest } from './graphql.js';
export type { ExecOutput, ExecRequest, TerminalSize } from './exec.js';
export type { TypedDocument } from './graphql-document.js';
export type { ApiAnswer, ApiRequest } from './http.js';
export type { Client, ClientOptions } from './client.js';
export type { LogOptions } from './log-following.js';
export type { NewMetadata, NewObject } from './new-object.js';
export type { ApplyOptions, CreateOptions, Objects, Selection, WriteOptions } from './objects.js';
export type { RoomMessage, RoomRequest } from './room-message.js';
export type { SubscribeOptions } from './subscription.js';
export type { SubscriptionResume } from './subscription-place.js';
export type { Followed } from './until.js';
export type { WatchEvent, WatchOptions } from './watch.js';
