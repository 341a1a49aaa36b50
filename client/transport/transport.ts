/**
 * What the client asks of a connection: text and bytes both ways, and a close. Node has one (transport_ws.ts); a browser's
 * WebSocket fits the same shape.
 */

/** What a transport tells, in this order: at most one `onOpen`, any number of messages, exactly one `onClose`. */
export interface TransportEvents {
  onOpen(): void;
  onText(text: string): void;
  /** `bytes` are the receiver's to keep. */
  onBytes(bytes: Uint8Array): void;
  /** `failure` is the system's own error, where there was one. */
  onClose(code: number, reason: string, failure: Error | null): void;
}

/** An open or opening connection. */
export interface Transport {
  /** Takes `data` over. Silently nothing when the connection is not open. */
  send(data: string | Uint8Array): void;
  /** Bytes that wait in this process to be sent. */
  readonly bufferedBytes: number;
  /** Closes in order; `onClose` follows. */
  close(): void;
}

/** Opens a connection to a `ws:` or `wss:` URL. What it throws is a connection that failed: a browser's WebSocket does, for `ws:` on a secure page. */
export type OpenTransport = (url: URL, events: TransportEvents) => Transport;
