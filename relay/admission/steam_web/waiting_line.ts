/**
 * Lets a bounded number of people be served at once, and a bounded number wait for their turn: first come, first served. Whoever
 * comes when it is full is turned away at once.
 */

export interface LineBounds {
  /** Served at the same time. */
  readonly atOnce: number;
  /** That wait for it. */
  readonly waiting: number;
}

/** A place in the line. */
export interface Place {
  /** Resolves when it is served. */
  readonly turn: Promise<void>;
  /** Makes room for the next, waiting or served. To be called by everybody; again, it does nothing. */
  leave(): void;
}

export class WaitingLine {
  readonly #bounds: LineBounds;
  /** What serves each one that waits, in their order. */
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
