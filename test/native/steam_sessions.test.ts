/** Sessions of the typed layer over a scripted Steam: whose verdict counts for whom, and each ends once. */

import { deepEqual, equal } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  begin,
  DEFAULT_TIMEOUT_MS,
  ended,
  frame,
  judge,
  OTHER,
  type Outcome,
  PLAYER,
  soon,
  TICKET,
  watch,
} from './scripted_answers.js';
import { openScripted } from './scripted_user.js';

t.test('a session begins with the verdict on its own player, owner and all', async (t) => {
  const { steam, under } = openScripted();
  const outcome = watch(steam.beginAuthSession(TICKET, PLAYER));
  const [[ticket, steamId] = []] = under.argumentsOf('beginAuthSession');
  t.strictSame([Uint8Array.from(ticket as Uint8Array), steamId], [TICKET, PLAYER]);
  judge(under, OTHER, 0);
  judge(under, OTHER, 3);
  await frame(steam);
  t.strictSame(outcome, {}, 'a verdict on somebody else is not his');
  judge(under, PLAYER, 0, OTHER);
  await frame(steam);
  t.equal(outcome.value?.steamId, PLAYER);
  t.equal(outcome.value?.ownerId, OTHER, 'family sharing');
  t.equal(outcome.value?.isOver, false);
  t.strictSame(ended(under), []);
});

t.test('a session asks for licences of its player: 0 means yes, 1 and 2 mean no', async (t) => {
  const opening = openScripted();
  const session = await begin(opening, PLAYER);
  const answers = [0, 1, 2].map((answer) => {
    opening.under.answers.userHasLicenseForApp = () => answer;
    return session.hasLicense(480);
  });
  t.strictSame(answers, [true, false, false]);
  t.strictSame(opening.under.argumentsOf('userHasLicenseForApp'), new Array(3).fill([PLAYER, 480]));
  opening.under.answers.userHasLicenseForApp = () => 0;
  session.end();
  opening.steam.close();
  t.equal(session.hasLicense(480), false, 'and once it is over, nobody is asked');
});

t.test('an invalid ticket rejects at once with its result, and no session is begun or ended', async (t) => {
  const names = [
    '',
    'INVALID_TICKET',
    'DUPLICATE_REQUEST',
    'INVALID_VERSION',
    'GAME_MISMATCH',
    'EXPIRED_TICKET',
  ];
  for (const result of [1, 2, 3, 4, 5, 77]) {
    const { steam, under, pending } = openScripted();
    under.answers.beginAuthSession = () => result;
    const outcome = watch(steam.beginAuthSession(TICKET, PLAYER));
    await soon();
    t.match(outcome.failure, { code: 'ERR_HOTMIC_STEAM_CALL', result });
    if (result < 6)
      t.match(outcome.failure?.message, `BEGIN_AUTH_SESSION_RESULT_${names[result]} (${result})`);
    steam.close();
    t.strictSame([pending, ended(under)], [[], []]);
  }
});

t.test('a verdict against the player rejects with its name, and ends the session once', async (t) => {
  for (const response of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 77]) {
    const { steam, under } = openScripted();
    const outcome = watch(steam.beginAuthSession(TICKET, PLAYER));
    judge(under, PLAYER, response);
    judge(under, PLAYER, response);
    await frame(steam);
    t.match(outcome.failure, { code: 'ERR_HOTMIC_STEAM_CALL', result: response, message: `(${response})` });
    if (response === 3) t.match(outcome.failure, { resultName: 'AUTH_SESSION_RESPONSE_VAC_BANNED' });
    if (response === 5) t.match(outcome.failure?.message, /AUTH_SESSION_RESPONSE_VAC_CHECK_TIMEDOUT/);
    steam.close();
    t.strictSame(ended(under), [PLAYER]);
  }
});

t.test('a second begin for a player who has a session leaves the first alive', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  const first = await begin(opening, PLAYER);
  under.answers.beginAuthSession = () => 2;
  const second = watch(steam.beginAuthSession(TICKET, PLAYER));
  await soon();
  t.equal(second.failure?.result, 2);
  t.strictSame([first.isOver, ended(under)], [false, []]);
  first.end();
  t.strictSame(ended(under), [PLAYER]);
});

t.test('a second begin while the first waits for its verdict leaves the first waiting', async (t) => {
  const { steam, under } = openScripted();
  const first = watch(steam.beginAuthSession(TICKET, PLAYER));
  under.answers.beginAuthSession = () => 2;
  const second = watch(steam.beginAuthSession(TICKET, PLAYER));
  await soon();
  t.equal(second.failure?.result, 2);
  t.strictSame([first, ended(under)], [{}, []]);
  judge(under, PLAYER, 0);
  await frame(steam);
  t.equal(first.value?.steamId, PLAYER);
});

t.test(
  'a later verdict ends the session once and reports it once; a positive one changes nothing',
  async (t) => {
    const opening = openScripted();
    const { steam, under } = opening;
    const heard: number[] = [];
    const session = await begin(opening, PLAYER, (response) => heard.push(response));
    const bystander = await begin(opening, OTHER, (response) => heard.push(response));
    judge(under, PLAYER, 0);
    await frame(steam);
    t.strictSame([session.isOver, heard], [false, []]);
    judge(under, PLAYER, 6);
    judge(under, PLAYER, 3);
    await frame(steam);
    t.strictSame([session.isOver, bystander.isOver, heard, ended(under)], [true, false, [6], [PLAYER]]);
    session.end();
    session[Symbol.dispose]();
    t.strictSame(ended(under), [PLAYER]);
    steam.close();
    t.strictSame(ended(under), [PLAYER, OTHER], 'the other by close');
    bystander.end();
    t.strictSame([ended(under), heard], [[PLAYER, OTHER], [6]], 'and who ends it is not told that it ended');
  },
);

t.test('two verdicts in one frame, taken and taken back: the session ends', async (t) => {
  const { steam, under } = openScripted();
  const heard: number[] = [];
  const outcome = watch(
    steam.beginAuthSession(TICKET, PLAYER, { onEnded: (response) => heard.push(response) }),
  );
  judge(under, PLAYER, 0);
  judge(under, PLAYER, 6);
  await frame(steam);
  t.strictSame([outcome.value?.isOver, heard, ended(under)], [true, [6], [PLAYER]]);
  steam.close();
  t.strictSame(ended(under), [PLAYER]);
});

t.test(
  'after a session is over the player may come again, and the old session does not touch the new',
  async (t) => {
    const opening = openScripted();
    const { steam, under } = opening;
    const first = await begin(opening, PLAYER);
    first.end();
    const second = await begin(opening, PLAYER);
    first.end();
    first[Symbol.dispose]();
    t.strictSame([ended(under), second.isOver], [[PLAYER], false]);
    judge(under, PLAYER, 9);
    await frame(steam);
    t.strictSame([ended(under), second.isOver], [[PLAYER, PLAYER], true]);
  },
);

t.test('onEnded may begin a session with the player again at once', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  let again: Outcome<unknown> = {};
  await begin(opening, PLAYER, () => {
    again = watch(steam.beginAuthSession(TICKET, PLAYER));
  });
  judge(under, PLAYER, 4);
  await frame(steam);
  t.strictSame(again, {}, 'the verdict that ended the first is not the second’s');
  judge(under, PLAYER, 0);
  await frame(steam);
  t.ok(again.value);
});

t.test('every session ends once whatever happens to it', async (t) => {
  const event = fc.tuple(
    fc.nat(3),
    fc.constantFrom('verdict', 'good', 'bad', 'end', 'frame', 'abort', 'time'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const { steam, under, clock } = openScripted();
      /** What Steam holds: a second session of one player is a duplicate. */
      const held = new Set<bigint>();
      let faults = 0;
      under.answers.beginAuthSession = (_ticket, id) => {
        if (held.has(id)) return 2;
        held.add(id);
        return 0;
      };
      under.answers.endAuthSession = (id) => {
        if (!held.delete(id)) faults += 1;
      };
      const players = [0n, 1n, 2n, 3n].map((n) => {
        const controller = new AbortController();
        const outcome = watch(steam.beginAuthSession(TICKET, n, { signal: controller.signal }));
        return { outcome, controller };
      });
      for (const [n, what] of events) {
        const player = players[n];
        if (what === 'verdict' || what === 'good') judge(under, BigInt(n), 0);
        if (what === 'bad') judge(under, BigInt(n), 3);
        if (what === 'end') player?.outcome.value?.end();
        if (what === 'abort') player?.controller.abort();
        if (what === 'time') clock.nowMs += DEFAULT_TIMEOUT_MS / 2;
        if (what === 'frame') await frame(steam);
      }
      await frame(steam);
      const living = players.filter(({ outcome }) => outcome.value !== undefined && !outcome.value.isOver);
      const waiting = players.filter(({ outcome }) => !outcome.value && !outcome.failure);
      equal(held.size, living.length + waiting.length);
      steam.close();
      deepEqual([held.size, faults], [0, 0]);
    }),
    { numRuns: 100 },
  );
  t.pass();
});
