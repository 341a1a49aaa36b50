/**
 * Voice frames that wait a few milliseconds to be published together. uWebSockets sends what is published in one turn of the event loop to a
 * listener at once.
 *
 * Bounded: what does not fit into the buffer is not held. Frames of one lobby keep their order. Those of a speaker whose connection breaks meanwhile are
 * lost with it.
 */

/** Publishes a frame: a socket's method. */
export interface Publisher {
  publish(topic: string, bytes: Uint8Array): void;
}

interface Held {
  publisher: Publisher;
  topic: string | null;
  ownTopic: string | null;
  begin: number;
  end: number;
}

const BUFFER_BYTES = 256 * 1024;

export class HeldFrames {
  readonly #buffer: Uint8Array;
  #used = 0;
  readonly #byLobby = new Map<object, Held[]>();

  constructor(bytes = BUFFER_BYTES) {
    this.#buffer = new Uint8Array(bytes);
  }

  get isEmpty(): boolean {
    return this.#byLobby.size === 0;
  }

  /** Keeps a copy of the frame; false when there is no room. */
  hold(
    lobby: object,
    publisher: Publisher,
    topic: string | null,
    ownTopic: string | null,
    bytes: Uint8Array,
  ): boolean {
    const begin = this.#used;
    const end = begin + bytes.length;
    if (end > this.#buffer.length) return false;
    this.#buffer.set(bytes, begin);
    this.#used = end;
    const held = { publisher, topic, ownTopic, begin, end };
    const others = this.#byLobby.get(lobby);
    if (others) others.push(held);
    else this.#byLobby.set(lobby, [held]);
    return true;
  }

  /** Publishes the frames of one lobby, in their order. */
  release(lobby: object): void {
    const frames = this.#byLobby.get(lobby);
    if (!frames) return;
    this.#byLobby.delete(lobby);
    for (const frame of frames) this.#publish(frame);
    if (this.isEmpty) this.#used = 0;
  }

  /** Publishes all of them. */
  releaseAll(): void {
    for (const frames of this.#byLobby.values()) for (const frame of frames) this.#publish(frame);
    this.#byLobby.clear();
    this.#used = 0;
  }

  #publish({ publisher, topic, ownTopic, begin, end }: Held): void {
    const bytes = this.#buffer.subarray(begin, end);
    if (topic !== null) publisher.publish(topic, bytes);
    if (ownTopic !== null) publisher.publish(ownTopic, bytes);
  }
}
