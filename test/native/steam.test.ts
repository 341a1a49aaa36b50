/**
 * An open Steam over a scripted one: no listener can break its frame, and closing gives back all that was taken, whenever it
 * comes. Time is a number that the test moves.
 */

import t from 'tap';
import {
  begin,
  cancelled,
  confirm,
  DEFAULT_TIMEOUT_MS,
  ended,
  frame,
  judge,
  OTHER,
  PLAYER,
  soon,
  watch,
} from './scripted_answers.js';
import { openScripted } from './scripted_user.js';

t.test('an open Steam says which it is, and has the User class', async (t) => {
  const { steam } = openScripted();
  t.equal(steam.kind, 'real');
  t.equal(steam.report.interfaceVersion, 'SteamUser023');
  t.equal(steam.isClosed, false);
  t.equal(steam.user.getSteamID(), 76561197960265729n);
  t.equal(steam.runCallbacks(), 0);
});

t.test(
  'a listener that throws does not stop the others, and its error comes out of runCallbacks',
  async (t) => {
    const { steam, under } = openScripted();
    const heard: string[] = [];
    const fault = new Error('the first listener');
    steam.user.on('licenses_updated', () => {
      throw fault;
    });
    steam.user.on('licenses_updated', () => heard.push('second listener'));
    steam.user.on('steam_server_connected', () => heard.push('later signal'));
    const outcome = watch(steam.getAuthSessionTicket());
    under.send('licenses_updated', {});
    under.send('steam_server_connected', {});
    confirm(under, 1);
    t.throws(() => steam.runCallbacks(), fault);
    await soon();
    t.strictSame(heard, ['second listener', 'later signal']);
    t.ok(outcome.value, 'the promise behind it was settled');
    t.equal(steam.runCallbacks(), 0, 'and the next frame is like any other');
  },
);

t.test('several errors are all reported', async (t) => {
  const { steam, under } = openScripted();
  for (const text of ['one', 'two']) {
    steam.user.on('licenses_updated', () => {
      throw new Error(text);
    });
  }
  under.send('licenses_updated', {});
  try {
    steam.runCallbacks();
    t.fail('it throws');
  } catch (thrown) {
    t.ok(thrown instanceof AggregateError);
    t.match((thrown as AggregateError).errors, [{ message: 'one' }, { message: 'two' }]);
  }
});

t.test('an event settles its promise even if a listener throws', async (t) => {
  const { steam, under } = openScripted();
  steam.user.on('get_auth_session_ticket_response', () => {
    throw new Error('a listener');
  });
  const outcome = watch(steam.getAuthSessionTicket());
  confirm(under, 1);
  t.throws(() => steam.runCallbacks(), /a listener/);
  await soon();
  t.equal(outcome.value?.handle, 1);
});

t.test('an onEnded that throws does not stop the listeners, and its error comes out', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  const session = await begin(opening, PLAYER, () => {
    throw new Error('onEnded');
  });
  const heard: bigint[] = [];
  steam.user.on('validate_auth_ticket_response', ({ auth_id }) => heard.push(auth_id));
  judge(under, PLAYER, 3);
  judge(under, OTHER, 0);
  t.throws(() => steam.runCallbacks(), /onEnded/);
  t.strictSame([heard, session.isOver, ended(under)], [[PLAYER, OTHER], true, [PLAYER]]);
});

t.test('a time limit works in a frame whose listener throws', async (t) => {
  const { steam, under, clock } = openScripted();
  steam.user.on('licenses_updated', () => {
    throw new Error('a listener');
  });
  const outcome = watch(steam.getMarketEligibility());
  clock.nowMs += DEFAULT_TIMEOUT_MS;
  under.send('licenses_updated', {});
  t.throws(() => steam.runCallbacks(), /a listener/);
  await soon();
  t.equal(outcome.failure?.code, 'ERR_HOTMIC_STEAM_TIMEOUT');
});

t.test('when Steam itself throws, time limits work and the next frame is like any other', async (t) => {
  const { steam, under, clock } = openScripted();
  const outcome = watch(steam.getMarketEligibility());
  clock.nowMs += DEFAULT_TIMEOUT_MS;
  under.answers.runCallbacks = () => {
    throw new Error('Steam');
  };
  t.throws(() => steam.runCallbacks(), /Steam/);
  await soon();
  t.equal(outcome.failure?.code, 'ERR_HOTMIC_STEAM_TIMEOUT');
  delete under.answers.runCallbacks;
  under.send('licenses_updated', {});
  t.equal(steam.runCallbacks(), 1);
});

t.test('a once-listener is called once, and listeners added during a frame get the next event', async (t) => {
  const { steam, under } = openScripted();
  const heard: string[] = [];
  steam.user.once('licenses_updated', () => {
    heard.push('once');
    steam.user.on('licenses_updated', () => heard.push('added'));
  });
  under.send('licenses_updated', {});
  steam.runCallbacks();
  t.strictSame(heard, ['once']);
  under.send('licenses_updated', {});
  steam.runCallbacks();
  t.strictSame(heard, ['once', 'added']);
});

t.test('runCallbacks within a listener does nothing: order is Steam’s, each event comes once', async (t) => {
  const { steam, under } = openScripted();
  const heard: (number | string)[] = [];
  steam.user.on('steam_server_disconnected', ({ result }) => {
    heard.push(result);
    under.send('licenses_updated', {});
    heard.push(`${steam.runCallbacks()} within`);
  });
  steam.user.on('licenses_updated', () => heard.push('licences'));
  under.send('steam_server_disconnected', { result: 1 });
  under.send('steam_server_disconnected', { result: 2 });
  t.equal(steam.runCallbacks(), 2);
  t.strictSame(heard, [1, '0 within', 2, '0 within']);
  t.equal(steam.runCallbacks(), 2);
  t.strictSame(heard.slice(4), ['licences', 'licences']);
});

t.test('close within a listener ends the frame: no more signals, no more calls to Steam', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  await begin(opening, PLAYER);
  const heard: string[] = [];
  steam.user.on('steam_server_disconnected', () => {
    heard.push('first');
    steam.close();
  });
  steam.user.on('steam_server_disconnected', () => heard.push('its other listener'));
  steam.user.on('licenses_updated', () => heard.push('after the end'));
  const waiting = watch(steam.getAuthSessionTicket());
  under.send('steam_server_disconnected', { result: 3 });
  under.send('licenses_updated', {});
  confirm(under, 1);
  await frame(steam);
  t.strictSame(heard, ['first', 'its other listener']);
  t.match(waiting.failure, { code: 'ERR_HOTMIC_STEAM_CLOSED' });
  t.strictSame([cancelled(under), ended(under)], [[1], [PLAYER]]);
  t.equal(under.calls.at(-1)?.[0], 'close');
  t.equal(steam.runCallbacks(), 0);
});

t.test('a second close does nothing; a closed Steam says so and runs nothing', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  steam.close();
  steam.close();
  steam[Symbol.dispose]();
  t.equal(under.argumentsOf('close').length, 1);
  t.equal(opening.closings, 1);
  t.equal(steam.isClosed, true);
  t.equal(steam.runCallbacks(), 0);
  t.throws(() => steam.recordVoice(), { code: 'ERR_HOTMIC_STEAM_CLOSED' });
  t.throws(() => steam.createSpeakerDecoder(), { code: 'ERR_HOTMIC_STEAM_CLOSED' });
});

t.test('a Steam that fails while tickets are cancelled is closed nevertheless', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  const outcome = watch(steam.getAuthSessionTicket());
  confirm(under, 1);
  await frame(steam);
  under.answers.cancelAuthTicket = () => {
    throw new Error('the pipe is broken');
  };
  t.ok(outcome.value);
  t.throws(() => steam.close(), /the pipe is broken/);
  t.strictSame([under.argumentsOf('close').length, opening.closings, steam.isClosed], [1, 1, true]);
});

t.test('closing stops a recording before Steam is closed', async (t) => {
  const { steam, under } = openScripted();
  const recorder = steam.recordVoice();
  steam.close();
  t.equal(recorder.isStopped, true);
  t.strictSame(
    under.calls.map(([name]) => name),
    ['startVoiceRecording', 'stopVoiceRecording', 'close'],
  );
});

t.test(
  'closing ends the iteration of a recording without an error, and Steam is not called after it',
  async (t) => {
    const { steam, under } = openScripted();
    const read = async () => {
      for await (const packet of steam.recordVoice({ wait: soon }))
        t.fail(`a packet of ${packet.length} bytes`);
      return 'ended';
    };
    const reading = read();
    await soon();
    under.answers.getVoice = () => ({ result: 1, written: 0, buffer: new Uint8Array(0) });
    steam.close();
    t.equal(await reading, 'ended');
    t.equal(under.calls.at(-1)?.[0], 'close');
  },
);

t.test('one recording at a time; a stopped one hands its tail to the next', async (t) => {
  const { steam, under } = openScripted();
  const first = steam.recordVoice({ wait: soon });
  t.throws(() => steam.recordVoice(), { code: 'ERR_HOTMIC_CAPTURE' });
  t.throws(() => steam.recordVoice({ frameHz: 0 }), Error);
  t.equal(under.argumentsOf('startVoiceRecording').length, 1, 'what is refused records nothing');
  under.tail = [Uint8Array.of(1), Uint8Array.of(2)];
  first.stop();
  const second = steam.recordVoice({ wait: soon });
  const got: number[] = [];
  for await (const [byte = 0] of first) got.push(-byte);
  t.strictSame(got, [], 'the first is over');
  for await (const [byte = 0] of second) {
    got.push(byte);
    if (byte === 2) second.stop();
    if (got.length > 9) break;
  }
  t.strictSame(got, [1, 2, 1, 2], 'tail of the first, then its own');
  steam.recordVoice({ wait: soon }).stop();
});

t.test('a recording refused for its options leaves the one before as it was', async (t) => {
  const { steam, under } = openScripted();
  const first = steam.recordVoice({ wait: soon });
  under.tail = [Uint8Array.of(1)];
  first.stop();
  t.throws(() => steam.recordVoice({ frameHz: 3 }), RangeError);
  t.throws(() => steam.recordVoice({ signal: AbortSignal.abort(new Error('gone')) }), /gone/);
  const got: number[] = [];
  for await (const [byte = 0] of first) got.push(byte);
  t.strictSame(got, [1]);
  t.equal(under.argumentsOf('startVoiceRecording').length, 1);
});

t.test("a promise on a thread that does not get Steam's callbacks rejects with the next frame", async (t) => {
  const { steam, under } = openScripted();
  const outcome = watch(steam.getMarketEligibility());
  under.getsCallbacks = false;
  steam.runCallbacks();
  await soon();
  t.match(outcome.failure, {
    code: 'ERR_HOTMIC_STEAM_CALL',
    message: /another thread of this process gets Steam's callbacks/,
  });
});
