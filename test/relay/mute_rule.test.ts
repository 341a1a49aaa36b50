/** The mute rule, in every state that a few people can bring a relay into: whoever is muted is not heard, whatever they do. */

import t from 'tap';
import { type Explored, explore, OPERATIONS, operationsOf, type Plan, type Seat } from './exploration.js';

const MODERATOR = { maySpeak: true, mayListen: true, moderator: true, priority: false, channels: 'any' } as const;
const TWO: readonly Seat[] = [
  { account: 1, lobby: 'den', rights: MODERATOR },
  { account: 2, lobby: 'den' },
];
const THREE: readonly Seat[] = [...TWO, { account: 3, lobby: 'den' }];

const all = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[];
for (const depth of [1,2,3,4,5].slice(0, Number(process.env.D ?? 3))) {
  for (const seats of [TWO, THREE]) {
  const began = process.hrtime.bigint();
  const r = explore({ seats, operations: operationsOf(seats, all), depth });
  console.log(seats.length, depth, JSON.stringify(r), Number(process.hrtime.bigint() - began) / 1e6);
  }
}
t.pass('x');
