/** What happened, in words and in order, and a way to wait for a word. It runs in browsers too. */

export interface Told {
  readonly told: readonly string[];
  tell(what: string): void;
  /** Resolves once this word is there, after the first `from` words. */
  until(what: string, from?: number): Promise<void>;
}

export function toldWords(): Told {
  const told: string[] = [];
  const waiting = new Set<() => void>();
  return {
    told,
    tell: (what) => {
      told.push(what);
      for (const look of waiting) look();
    },
    until: (what, from = 0) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!told.includes(what, from)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
