import type { RequestContext } from './context.js';
import type { AnyKind, Key } from './kinds.js';

/** What a client asked for when it opened a conversation; a parameter that was given several times has all its values, in order. */
export interface ConversationRequest {
  readonly key: Key;
  readonly query: ReadonlyMap<string, readonly string[]>;
}

/** An open WebSocket with a client, as messages. It is closed when what talks over it resolves or throws. */
export interface Conversation {
  /** The protocol that client and plugin have in common. */
  readonly protocol: string;
  /**
   * The client's messages, in order and one reader only; ends when the client has gone, the credential is no longer good or the platform
   * stops. Messages that are not taken are not read, so that the client waits.
   */
  readonly messages: AsyncIterable<Uint8Array>;
  /** Sends one binary message of at most 64 KiB; resolves when there is room for the next, or the client has gone. */
  send(message: Uint8Array): Promise<void>;
}

/**
 * A subresource that is talked with over a WebSocket, such as `pods/exec`. The kernel authenticates, authorises as
 * `{plural}/{name}`, takes a stream's place and audits before asking.
 */
export interface ConversationSubresource {
  readonly kind: AnyKind;
  readonly name: string;
  /** What the caller must be allowed: `create` for what acts, `get` for what only shows. */
  readonly verb: 'get' | 'create';
  /** Subprotocols that are spoken, best first; a client must offer one. */
  readonly protocols: readonly string[];
  /**
   * Looks at the request, within the deadline of a request, and answers what talks: what is thrown here is answered as a Status, in place
   * of a WebSocket. What talks has no deadline but its `messages`.
   */
  handle(request: ConversationRequest, context: RequestContext): Promise<(conversation: Conversation) => Promise<void>>;
}
