import type { TObject } from 'typebox';
import type { RequestContext } from './context.js';
import type { AnyKind, Key } from './kinds.js';

/** The request that opened a conversation; a query parameter that was given several times has all its values, in order. */
export interface ConversationRequest {
  readonly key: Key;
  readonly query: ReadonlyMap<string, readonly string[]>;
}

/** An open WebSocket to a client, as messages. It is closed when the function that handles the conversation resolves or throws. */
export interface Conversation {
  /** The subprotocol that client and plugin agreed on. */
  readonly protocol: string;
  /**
   * The client's messages, in order, for one reader only; ends when the client disconnects, the credential becomes invalid or the platform
   * stops. Messages are read from the connection only as they are consumed, which slows the client down.
   */
  readonly messages: AsyncIterable<Uint8Array>;
  /** Sends one binary message of at most 64 KiB; resolves when there is room for the next, or the client has disconnected. */
  send(message: Uint8Array): Promise<void>;
}

/**
 * A subresource that is used over a WebSocket, such as `pods/exec`. Before it calls `handle`, the kernel authenticates the caller,
 * authorizes the request as `{plural}/{name}`, takes a stream seat and audits the request.
 */
export interface ConversationSubresource {
  readonly kind: AnyKind;
  readonly name: string;
  /** The verb that the caller must be allowed: `create` for a subresource that acts, `get` for one that only shows. */
  readonly verb: 'get' | 'create';
  /** Supported subprotocols, best first; a client must offer one of them. */
  readonly protocols: readonly string[];
  /** What OpenAPI says of it: one sentence, and an object whose properties are the query parameters. Nothing is checked against it. */
  readonly openApi?: { readonly description: string; readonly query?: TObject };
  /**
   * Checks the request, within the deadline of a request, and returns the function that handles the conversation. An error thrown here is
   * answered as a Status, instead of opening a WebSocket. The returned function has no deadline other than the end of `messages`.
   */
  handle(request: ConversationRequest, context: RequestContext): Promise<(conversation: Conversation) => Promise<void>>;
}
