/** Tickets of the typed layer over a scripted Steam: each comes to who asked for it, and is cancelled once. */

import { deepEqual, equal } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { HeldTicket } from '../../native/held_ticket.js';
import {
  cancelled,
  confirm,
  DEFAULT_TIMEOUT_MS,
  frame,
  judge,
  OTHER,
  TICKET,
  watch,
  webTicket,
} from './scripted_answers.js';
import { openScripted } from './scripted_user.js';

t.test('a session ticket is given when Steam confirms it, with its handle and bytes', async (t) => {
  const { steam, under } = openScripted();
  under.answers.getAuthSessionTicket = () => ({ id: 77, buffer: TICKET, size: 3 });
  const outcome = watch(steam.getAuthSessionTicket(OTHER));
  t.strictSame(under.argumentsOf('getAuthSessionTicket'), [[OTHER]]);
  confirm(under, 76);
  webTicket(under, 77, [5]);
  judge(under, OTHER, 0);
  await frame(steam);
  t.strictSame(outcome, {}, 'other tickets’ events are not its own');
  confirm(under, 77);
  await frame(steam);
  t.equal(outcome.value?.handle, 77);
  t.strictSame(Uint8Array.from(outcome.value?.bytes ?? []), TICKET);
});

t.test('a ticket for the Web API comes with its own event; its hex has two digits per byte', async (t) => {
  const { steam, under } = openScripted();
  const outcome = watch(steam.getAuthTicketForWebApi('service'));
  t.strictSame(under.argumentsOf('getAuthTicketForWebApi'), [['service']]);
  webTicket(under, 2, [1, 1]);
  confirm(under, 1);
  await frame(steam);
  t.strictSame(outcome, {});
  webTicket(under, 1, [0, 1, 10, 255]);
  await frame(steam);
  t.equal(outcome.value?.hex, '00010aff');
  t.strictSame(outcome.value?.bytes, Uint8Array.of(0, 1, 10, 255));
});

t.test('hex covers the ticket’s own bytes, wherever they are in memory', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(9), fc.nat(9), (bytes, before, behind) => {
      const memory = new Uint8Array(before + bytes.length + behind).fill(0xee);
      memory.set(bytes, before);
      const view = memory.subarray(before, before + bytes.length);
      const { hex } = new HeldTicket(1, view, () => undefined);
      return hex === [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    }),
  );
  t.pass();
});

t.test('tickets in any order: each promise gets its own, each handle is cancelled once', async (t) => {
  const step = fc.record({
    kind: fc.constantFrom('session', 'web'),
    fate: fc.constantFrom('ok', 'refused', 'aborted', 'late', 'dropped'),
    place: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 20 }),
      fc.integer({ min: 0, max: 3 }),
      async (steps, kept) => {
        const { steam, under, clock } = openScripted();
        const asked = steps.map(({ kind }) => {
          const controller = new AbortController();
          const options = { signal: controller.signal };
          const outcome = watch(
            kind === 'web'
              ? steam.getAuthTicketForWebApi('', options)
              : steam.getAuthSessionTicket(0n, options),
          );
          return { outcome, controller };
        });
        const order = steps
          .map((_, index) => index)
          .sort((a, b) => (steps[a]?.place ?? 0) - (steps[b]?.place ?? 0));
        for (const index of order) {
          const { kind, fate } = steps[index] ?? {};
          const handle = index + 1;
          if (fate === 'aborted') asked[index]?.controller.abort(new Error(`gone ${handle}`));
          if (fate === 'late' || fate === 'dropped') continue;
          const result = fate === 'refused' ? 100 + handle : 1;
          if (kind === 'web') webTicket(under, handle, [handle, handle], result);
          else confirm(under, handle, result);
        }
        await frame(steam);
        clock.nowMs += DEFAULT_TIMEOUT_MS;
        await frame(steam);
        let living = 0;
        for (const [index, { outcome }] of asked.entries()) {
          const { kind, fate } = steps[index] ?? {};
          const handle = index + 1;
          if (fate === 'ok') {
            equal(outcome.value?.handle, handle);
            deepEqual(
              Uint8Array.from(outcome.value?.bytes ?? []),
              Uint8Array.from(kind === 'web' ? [handle, handle] : [0, handle]),
            );
            if (living++ >= kept) outcome.value?.[Symbol.dispose]();
          } else if (fate === 'refused') equal(outcome.failure?.result, 100 + handle);
          else if (fate === 'aborted') equal(outcome.failure?.message, `gone ${handle}`);
          else equal(outcome.failure?.code, 'ERR_HOTMIC_STEAM_TIMEOUT');
        }
        steam.close();
        for (const { outcome } of asked) outcome.value?.cancel();
        deepEqual(
          [...cancelled(under)].sort((a, b) => Number(a) - Number(b)),
          steps.map((_, index) => index + 1),
        );
      },
    ),
    { numRuns: 40 },
  );
  t.pass();
});

t.test('a ticket is cancelled once, by whatever is first', async (t) => {
  const { steam, under } = openScripted();
  const outcomes = [1, 2, 3].map(() => watch(steam.getAuthSessionTicket()));
  for (const handle of [1, 2, 3]) confirm(under, handle);
  await frame(steam);
  const [one, two] = outcomes.map(({ value }) => value);
  t.strictSame(cancelled(under), []);
  one?.cancel();
  one?.cancel();
  one?.[Symbol.dispose]();
  two?.[Symbol.dispose]();
  t.strictSame(cancelled(under), [1, 2]);
  steam.close();
  t.strictSame(cancelled(under), [1, 2, 3], 'the third by close');
  for (const { value } of outcomes) value?.cancel();
  t.strictSame(cancelled(under), [1, 2, 3], 'and a closed Steam is asked nothing');
});

t.test('an empty ticket is a failure: it is cancelled, and the promise rejects', async (t) => {
  const { steam, under } = openScripted();
  under.answers.getAuthSessionTicket = () => ({ id: 77, buffer: new Uint8Array(0), size: 0 });
  const session = watch(steam.getAuthSessionTicket());
  const web = watch(steam.getAuthTicketForWebApi());
  confirm(under, 77);
  webTicket(under, 1, []);
  await frame(steam);
  for (const { failure } of [session, web]) {
    t.match(failure, { code: 'ERR_HOTMIC_STEAM_CALL', message: /empty ticket/ });
  }
  t.strictSame(cancelled(under), [77, 1]);
});

t.test('a ticket that Steam refuses is cancelled, and the error has the result', async (t) => {
  for (const [result, name] of [
    [2, 'RESULT_FAIL'],
    [3, 'RESULT_NO_CONNECTION'],
    [25, 'RESULT_LIMIT_EXCEEDED'],
  ] as const) {
    const { steam, under } = openScripted();
    const session = watch(steam.getAuthSessionTicket());
    const web = watch(steam.getAuthTicketForWebApi());
    confirm(under, 1, result);
    webTicket(under, 2, [], result);
    await frame(steam);
    for (const { failure } of [session, web]) {
      t.match(failure, {
        code: 'ERR_HOTMIC_STEAM_CALL',
        result,
        message: new RegExp(`${name} \\(${result}\\)`),
      });
    }
    t.strictSame(cancelled(under), [1, 2]);
    steam.close();
    t.strictSame(cancelled(under), [1, 2]);
  }
  const { steam, under } = openScripted();
  const unknown = watch(steam.getAuthSessionTicket());
  confirm(under, 1, 4321);
  await frame(steam);
  t.match(unknown.failure, { result: 4321, message: /4321/ }, 'a number of a newer SDK');
});
