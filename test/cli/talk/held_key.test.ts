/** A held key by its repeats, at instants that the test sets. */

import t from 'tap';
import { FIRST_REPEAT_MS, HeldKey, REPEAT_MS } from '../../../cli/talk/held_key.js';

/** The changes that a key goes through: a character at each of these instants, and a look every 5 ms until `until`. */
function changes(key: HeldKey, characters: readonly number[], until: number): string[] {
  const seen: string[] = [];
  for (let now = 0; now <= until; now += 5) {
    for (const at of characters) {
      const change = at === now ? key.character(now) : null;
      if (change) seen.push(`${change} ${now}`);
    }
    const change = key.time(now);
    if (change) seen.push(`${change} ${now}`);
  }
  return seen;
}

t.test('repeats are one press, released when they end, for every usual keyboard', (t) => {
  for (const firstMs of [250, 500, 660]) {
    for (const everyMs of [25, 35, 100]) {
      for (const repeats of [1, 30, 31]) {
        const characters = [0, ...Array.from({ length: repeats }, (_, n) => firstMs + n * everyMs)];
        const last = characters.at(-1)!;
        t.same(changes(new HeldKey('hold'), characters, last + 1000), ['down 0', `up ${last + REPEAT_MS}`]);
      }
    }
  }
  t.end();
});

t.test('a tap is a press that ends when no repeat follows', (t) => {
  t.same(changes(new HeldKey('hold'), [0], 2000), ['down 0', `up ${FIRST_REPEAT_MS}`]);
  t.same(changes(new HeldKey('hold'), [0, 1000], 3000), ['down 0', 'up 700', 'down 1000', 'up 1700']);
  t.end();
});

t.test('characters that arrive late, after a stall, still hold the key', (t) => {
  const key = new HeldKey('hold');
  key.character(0);
  key.character(500);
  t.equal(key.character(900), null, 'the timer of 650 has not been looked at');
  t.equal(key.time(1000), null);
  t.equal(key.time(1050), 'up');
  t.end();
});

t.test('in toggle mode each character switches, and time changes nothing', (t) => {
  const key = new HeldKey('toggle');
  t.same(changes(key, [0, 1000], 5000), ['down 0', 'up 1000']);
  t.equal(key.upAt, null);
  t.end();
});

t.test('letting go releases the key at once, and only once, in both modes', (t) => {
  for (const mode of ['hold', 'toggle'] as const) {
    const key = new HeldKey(mode);
    t.equal(key.letGo(), null);
    key.character(0);
    t.equal(key.letGo(), 'up');
    t.equal(key.letGo(), null);
    t.equal(key.upAt, null);
  }
  t.end();
});
