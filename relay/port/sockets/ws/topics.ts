/** Who is subscribed to which topic. A topic exists while somebody is subscribed to it. */

/** A subscriber, who keeps its own topics here. */
export interface Subscriber {
  readonly topics: Set<string>;
}

export class Topics<S extends Subscriber> {
  readonly #subscribers = new Map<string, Set<S>>();

  /** In the order of their subscription; empty for a topic without any. */
  of(topic: string): Iterable<S> {
    return this.#subscribers.get(topic) ?? [];
  }

  subscribe(subscriber: S, topic: string): void {
    const known = this.#subscribers.get(topic);
    if (known) known.add(subscriber);
    else this.#subscribers.set(topic, new Set([subscriber]));
    subscriber.topics.add(topic);
  }

  unsubscribe(subscriber: S, topic: string): void {
    const known = this.#subscribers.get(topic);
    if (!known) return;
    known.delete(subscriber);
    if (known.size === 0) this.#subscribers.delete(topic);
    subscriber.topics.delete(topic);
  }

  /** Ends all subscriptions of one. */
  leave(subscriber: S): void {
    for (const topic of subscriber.topics) this.unsubscribe(subscriber, topic);
  }
}
