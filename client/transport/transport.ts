/**
 * The connection as the client needs it: text and bytes both ways, and a close. ws.ts implements it for Node; a browser's WebSocket fits
 * the same interface.
 */

/** Callbacks of a transport, in this order: at most one `onConnected`, at most one `onOpen`, any number of messages, exactly one `onClose`. */
export interface TransportEvents {
  /** The relay's machine is reached, and the relay has not answered yet. Browsers do not tell. */
  onConnected(): void;
  /** The connection is open: data may be sent. */
  onOpen(): void;
  /** A text message came. */
  onText(text: string): void;
  /** `bytes` may be kept. */
  onBytes(bytes: Uint8Array): void;
  /** `failure` is the system's error, if there was one. */
  onClose(code: number, reason: string, failure: Error | null): void;
}

/** An open or opening connection. */
export interface Transport {
  /** Takes ownership of `data`. Does nothing if the connection is not open. */
  send(data: string | Uint8Array): void;
  /** Bytes waiting in this process to be sent. */
  readonly bufferedBytes: number;
  /** It notices by itself when the connection dies silently, and closes. Default false: the session then pings by messages. */
  readonly watched?: boolean;
  /** Closes the connection with a close frame; `onClose` follows. */
  close(): void;
}

/**
 * Opens a connection to a `ws:` or `wss:` URL. If it throws, the connection failed: a browser's WebSocket throws for `ws:` on a secure
 * page.
 */
export type OpenTransport = (url: URL, events: TransportEvents) => Transport;
