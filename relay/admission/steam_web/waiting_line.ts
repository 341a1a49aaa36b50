/**
 * Serves a bounded number of entries at once, while a bounded number wait for their turn: first come, first served. When it is full, further
 * entries are refused at once.
 */

export interface LineBounds {
  /** Served at the same time. */
  readonly atOnce: number;
  /** Waiting for their turn. */
  readonly waiting: number;
}

/** A place in the line. */
export interface Place {
  /** Resolves when it is served. */
  readonly turn: Promise<void>;
  /** Gives up the place, waiting or served. Has to be called for every place; a second call does nothing. */
  leave(): void;
}

export class WaitingLine {
  readonly #bounds: LineBounds;
  /** The function that serves each waiting entry, in their order. */
  readonly #waiting = new Set<() => void>();
  #served = 0;

  constructor(bounds: LineBounds) {
    this.#bounds = bounds;
  }

  /** Null when it is full. */
  enter(): Place | null {
    if (this.#served < this.#bounds.atOnce) {
      this.#served += 1;
      return { turn: Promise.resolve(), leave: once(() => this.#next()) };
    }
    if (this.#waiting.size >= this.#bounds.waiting) return null;
    let serve = (): void => undefined;
    const turn = new Promise<void>((resolve) => {
      serve = resolve;
    });
    this.#waiting.add(serve);
    const leave = once(() => {
      if (!this.#waiting.delete(serve)) this.#next();
    });
    return { turn, leave };
  }

  #next(): void {
    for (const serve of this.#waiting) {
      this.#waiting.delete(serve);
      serve();
      return;
    }
    this.#served -= 1;
  }
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}
