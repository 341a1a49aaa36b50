/** How we hear people, by SteamID: it outlives their slots. */

import t from 'tap';
import { MAX_BLOCKED, People } from '../../../client/voice/people.js';
import { DEFAULT_SETTINGS } from '../../../voice/mixing/speaker_settings.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { memberOf } from '../scripted_transport.js';

const KIM = personSteamId(9);
const kim = (slot: number, changed = {}) => ({ ...memberOf(slot, 9, 'Kim', changed), speaking: false });

/** People, and what the playout was told. */
function people(blocked: Iterable<bigint> = []) {
  const told: unknown[] = [];
  const playout = {
    set: (slot: number, settings: object) => told.push([slot, settings]),
    setPosition: (slot: number, position: unknown) => told.push([slot, position]),
  };
  return { told, people: new People(playout, blocked) };
}

t.test('what is set stays when somebody leaves and comes back in another slot', async (t) => {
  const { told, people: all } = people();
  all.set(KIM, { volumeDb: -6 });
  all.setPosition(KIM, { x: 1, y: 2, z: 3 });
  t.same(told, [], 'nobody is here');
  all.here(kim(1));
  all.left(kim(1));
  told.length = 0;
  all.here(kim(4));
  t.same(told, [
    [4, { ...DEFAULT_SETTINGS, volumeDb: -6 }],
    [4, { x: 1, y: 2, z: 3 }],
  ]);
  t.same(all.settings(KIM), { ...DEFAULT_SETTINGS, volumeDb: -6 });
});

t.test("who has the lobby's priority has it here, whatever is set", async (t) => {
  const { told, people: all } = people();
  all.here(kim(1, { priority: true }));
  all.set(KIM, { volumeDb: 3, priority: 'none' });
  t.match(told.at(-1), [1, { volumeDb: 3, priority: 'priority' }]);
  all.here(kim(1));
  t.match(told.at(-1), [1, { volumeDb: 3, priority: 'none' }]);
});

t.test(
  'who is blocked is muted and not shown as speaking; unblocking brings back what was set',
  async (t) => {
    const { told, people: all } = people([KIM]);
    t.match(all.here({ ...kim(1), speaking: true }), { blocked: true, speaking: false });
    t.match(told.at(-1), [1, { muted: 'muted' }]);
    t.same(all.blocked, [KIM]);
    t.equal(all.block(KIM), false, 'they are already');
    t.equal(all.unblock(KIM), true);
    t.match(all.here({ ...kim(1), speaking: true }), { blocked: false, speaking: true });
    t.match(told.at(-1), [1, { muted: 'heard' }]);
    t.equal(all.unblock(KIM), false);
  },
);

t.test('the old slot of somebody who has another one does not matter', async (t) => {
  const { people: all } = people();
  all.here(kim(1));
  all.here(kim(2));
  all.left(kim(1));
  t.equal(all.withSteamId(KIM)?.slot, 2);
  t.equal(all.withSlot(1), undefined);
});

t.test('what is wrong is refused, and changes nothing', async (t) => {
  const { people: all } = people();
  t.throws(() => all.set(KIM, { volumeDb: 99 }), RangeError);
  t.throws(() => all.set(9 as never, {}), TypeError);
  t.throws(() => all.block(0n), RangeError);
  t.throws(() => all.block(2n ** 64n), RangeError);
  t.throws(() => all.setPosition(KIM, { x: Number.NaN, y: 0, z: 0 }), RangeError);
  t.same(all.settings(KIM), DEFAULT_SETTINGS);
  t.same(all.blocked, []);
});

t.test('blocks and settings are bounded; those of people who are here are kept', async (t) => {
  const many = Array.from({ length: MAX_BLOCKED }, (_, at) => personSteamId(at + 1));
  const { people: all } = people(many);
  t.throws(() => all.block(personSteamId(MAX_BLOCKED + 1)), RangeError);
  t.throws(() => people([...many, personSteamId(MAX_BLOCKED + 1)]), RangeError);
  all.set(KIM, { volumeDb: -6 });
  all.here(kim(1));
  for (let account = 1; account <= 5000; account++) all.set(personSteamId(10 + account), { volumeDb: 1 });
  t.equal(all.settings(KIM).volumeDb, -6);
  t.equal(all.settings(personSteamId(11)).volumeDb, 0, 'set long ago, and not here');
  t.equal(all.settings(personSteamId(5010)).volumeDb, 1);
});
