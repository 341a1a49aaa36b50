/**
 * A recording over a scripted Steam: key-down, packets, key-up, tail, end. Waiting is a function that the test gives, and time a
 * number that it moves.
 */

import { getEventListeners } from 'node:events';
import t from 'tap';
import { type RecordVoiceOptions, VoiceRecorder } from '../../native/voice_recorder.js';
import { VoiceResult } from '../../voice/voice_result.js';
import { NO_BYTES, ScriptedUser } from './scripted_user.js';

const packet = (number: number) => Uint8Array.of(number);

interface Studio {
  readonly under: ScriptedUser;
  readonly clock: { nowMs: number };
  /** What each wait was asked for, in ms. */
  readonly waits: number[];
  record(options?: RecordVoiceOptions): VoiceRecorder;
}

/** @param during Called with each wait, in whose time things happen. */
function studio(during: (waits: number) => void = () => undefined): Studio {
  const under = new ScriptedUser();
  const clock = { nowMs: 0 };
  const waits: number[] = [];
  const wait = async (ms: number) => {
    waits.push(ms);
    clock.nowMs += ms;
    if (waits.length > 20_000) throw new Error('it waits for ever');
    during(waits.length);
  };
  const record = (options: RecordVoiceOptions = {}) =>
    new VoiceRecorder(under, () => clock.nowMs, { wait, ...options });
  return { under, clock, waits, record };
}

async function take(recorder: VoiceRecorder): Promise<number[]> {
  const numbers: number[] = [];
  for await (const [number = -1] of recorder) numbers.push(number);
  return numbers;
}

const count = (under: ScriptedUser, name: 'startVoiceRecording' | 'stopVoiceRecording' | 'getVoice') =>
  under.argumentsOf(name).length;

t.test('it records from the moment it is made, once', async (t) => {
  const { under, record } = studio();
  const recorder = record();
  t.equal(count(under, 'startVoiceRecording'), 1);
  t.equal(recorder.isStopped, false);
});

t.test(
  'it returns what was said and the tail after key-up, in order, and ends at NOT_RECORDING',
  async (t) => {
    const { under, record } = studio((waits) => {
      if (waits === 2) under.voice.push(packet(3));
      if (waits === 4) recorder.stop();
    });
    under.voice.push(packet(1), packet(2));
    under.tail = [packet(4), VoiceResult.VOICE_RESULT_NO_DATA, packet(5)];
    const recorder = record();
    t.strictSame(await take(recorder), [1, 2, 3, 4, 5]);
    t.equal(count(under, 'stopVoiceRecording'), 1);
    t.equal(recorder.isStopped, true);
    t.equal(under.getVoice().result, VoiceResult.VOICE_RESULT_NOT_RECORDING);
  },
);

t.test('it waits a game frame while there is no packet, and not at all while there is one', async (t) => {
  for (const [frameHz, frameMs] of [
    [undefined, 1000 / 60],
    [4, 250],
    [1000, 1],
  ] as const) {
    const { under, waits, record } = studio((times) => {
      if (times === 3) recorder.stop();
    });
    under.voice.push(packet(1), packet(2), packet(3));
    const recorder = record(frameHz === undefined ? {} : { frameHz });
    t.strictSame(await take(recorder), [1, 2, 3]);
    t.strictSame(waits, new Array(3).fill(frameMs));
  }
});

t.test('a rate out of range records nothing', async (t) => {
  const { under, record } = studio();
  for (const frameHz of [0, 3.9, 1000.1, -60, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => record({ frameHz }), /^RangeError|Cannot record: frameHz is .+, expected 4 to 1000/);
  }
  t.strictSame(under.calls, []);
});

t.test('stop is key-up once, however often it comes', async (t) => {
  const { under, record } = studio();
  const recorder = record();
  recorder.stop();
  recorder.stop();
  t.equal(recorder.isStopped, true);
  t.strictSame(await take(recorder), []);
  recorder.stop();
  t.equal(count(under, 'stopVoiceRecording'), 1);
});

t.test('breaking out stops the recording, and the tail is read and thrown away', async (t) => {
  const { under, record } = studio();
  under.voice.push(packet(1), packet(2));
  under.tail = [packet(3), VoiceResult.VOICE_RESULT_NO_DATA, packet(4)];
  const recorder = record();
  for await (const _packet of recorder) break;
  t.equal(count(under, 'stopVoiceRecording'), 1);
  t.strictSame(under.voice, []);
  t.equal(under.getVoice().result, VoiceResult.VOICE_RESULT_NOT_RECORDING);
});

t.test('an error in the loop stops the recording too, and comes out', async (t) => {
  const { under, record } = studio();
  under.voice.push(packet(1));
  under.tail = [packet(2)];
  const recorder = record();
  await t.rejects(async () => {
    for await (const _packet of recorder) throw new Error('in the loop');
  }, /in the loop/);
  t.equal(count(under, 'stopVoiceRecording'), 1);
  t.strictSame(under.voice, []);
});

t.test('a second iteration finds nothing and does not call Steam', async (t) => {
  const { under, record } = studio((waits) => {
    if (waits === 1) recorder.stop();
  });
  under.voice.push(packet(1));
  const recorder = record();
  t.strictSame(await take(recorder), [1]);
  const asked = under.calls.length;
  under.voice.push(packet(9));
  t.strictSame(await take(recorder), []);
  t.equal(under.calls.length, asked);
});

t.test('aborting is key-up: the tail still comes, and no listener stays', async (t) => {
  const controller = new AbortController();
  const { under, record } = studio((waits) => {
    if (waits === 2) controller.abort();
  });
  under.voice.push(packet(1));
  under.tail = [packet(2)];
  const recorder = record({ signal: controller.signal });
  t.equal(getEventListeners(controller.signal, 'abort').length, 1);
  t.strictSame(await take(recorder), [1, 2]);
  t.equal(count(under, 'stopVoiceRecording'), 1);
  t.equal(getEventListeners(controller.signal, 'abort').length, 0);
});

t.test(
  'no listener stays on the signal after key-up by stop, whether or not anyone reads the tail',
  async (t) => {
    const { signal } = new AbortController();
    const { record } = studio();
    const recorder = record({ signal });
    recorder.stop();
    t.equal(getEventListeners(signal, 'abort').length, 0);
    t.strictSame(await take(recorder), []);
  },
);

t.test('a signal that is already aborted throws its reason, and records nothing', async (t) => {
  const { under, record } = studio();
  t.throws(() => record({ signal: AbortSignal.abort(new Error('gone')) }), /gone/);
  t.strictSame(under.calls, []);
});

t.test('a handed-over recording ends and takes nothing of the next one', async (t) => {
  const { under, record } = studio();
  under.tail = [packet(1)];
  const recorder = record();
  recorder.stop();
  recorder.handOver();
  t.strictSame(await take(recorder), []);
  t.strictSame(under.voice, [packet(1)]);
});

t.test('a hand-over while the iteration waits ends it', async (t) => {
  const { under, record } = studio((waits) => {
    if (waits === 1) {
      recorder.stop();
      recorder.handOver();
      under.voice.push(packet(7));
    }
  });
  const recorder = record();
  t.strictSame(await take(recorder), []);
  t.strictSame(under.voice, [packet(7)]);
});

t.test('any other result of Steam ends the recording: it throws, and the microphone is off', async (t) => {
  for (const [result, name] of [
    [1, 'VOICE_RESULT_NOT_INITIALIZED'],
    [5, 'VOICE_RESULT_DATA_CORRUPTED'],
    [6, 'VOICE_RESULT_RESTRICTED'],
    [42, ''],
  ] as const) {
    const { signal } = new AbortController();
    const { under, record } = studio();
    under.voice.push(packet(1), result as VoiceResult);
    const recorder = record({ signal });
    const got: number[] = [];
    await t.rejects(
      async () => {
        for await (const [number = -1] of recorder) got.push(number);
      },
      { code: 'ERR_HOTMIC_STEAM_CALL', result, message: new RegExp(`${name} \\(${result}\\)`) },
    );
    t.strictSame(got, [1]);
    t.equal(count(under, 'stopVoiceRecording'), 1);
    t.equal(recorder.isStopped, true);
    t.equal(getEventListeners(signal, 'abort').length, 0);
  }
});

t.test('an error of getVoice ends the recording and is thrown, and the microphone is off', async (t) => {
  const { signal } = new AbortController();
  const { under, record } = studio();
  const recorder = record({ signal });
  under.answers.getVoice = () => {
    throw new Error('getVoice');
  };
  await t.rejects(take(recorder), /getVoice/);
  t.equal(count(under, 'stopVoiceRecording'), 1);
  t.equal(getEventListeners(signal, 'abort').length, 0);
  under.answers.stopVoiceRecording = () => {
    throw new Error('stopVoiceRecording');
  };
  await t.rejects(take(record()), /getVoice/, 'the first error is the one that is told');
});

t.test('when waiting fails the microphone is off, and the error comes out', async (t) => {
  const { under, record } = studio();
  const wait = () => Promise.reject(new Error('no timers'));
  await t.rejects(take(record({ wait })), /no timers/);
  t.equal(count(under, 'stopVoiceRecording'), 1);
});

t.test('a small buffer or an empty packet does not end it', async (t) => {
  const { under, record } = studio((waits) => {
    if (waits === 5) recorder.stop();
  });
  under.voice.push(VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL, NO_BYTES, packet(1));
  const recorder = record();
  t.strictSame(await take(recorder), [1]);
});

t.test('a silent Steam that never ends the tail is an error', async (t) => {
  const { under, waits, record } = studio();
  const recorder = record({ frameHz: 10 });
  recorder.stop();
  under.answers.getVoice = () => ({ result: 3, written: 0, buffer: NO_BYTES });
  await t.rejects(take(recorder), { code: 'ERR_HOTMIC_CAPTURE' });
  t.ok(waits.length > 10 && waits.length < 1000, `${waits.length} waits`);
});

t.test(
  'a talking Steam that never ends the tail is an error, whether the tail is read or thrown away',
  async (t) => {
    for (const reads of ['all', 'one'] as const) {
      const { under, record } = studio();
      const recorder = record();
      let given = 0;
      under.answers.getVoice = () => {
        if (++given > 200_000) throw new Error('it reads for ever');
        return { result: 0, written: 1, buffer: packet(1) };
      };
      await t.rejects(
        async () => {
          for await (const _packet of recorder) {
            if (reads === 'one') break;
            recorder.stop();
          }
        },
        { code: 'ERR_HOTMIC_CAPTURE' },
        reads,
      );
      t.equal(recorder.isStopped, true);
    }
  },
);

t.test('a recording that somebody else stops gives what is left and ends', async (t) => {
  const { under, record } = studio((waits) => {
    if (waits === 2) under.stopVoiceRecording();
  });
  under.voice.push(packet(1));
  under.tail = [packet(2)];
  const recorder = record();
  t.strictSame(await take(recorder), [1, 2]);
  t.equal(recorder.isStopped, true);
});

t.test('a Steam that is slow to begin is waited for', async (t) => {
  const { under, record } = studio((waits) => {
    if (waits === 3) recorder.stop();
  });
  under.voice.push(VoiceResult.VOICE_RESULT_NOT_RECORDING, VoiceResult.VOICE_RESULT_NOT_RECORDING, packet(1));
  const recorder = record();
  t.strictSame(await take(recorder), [1]);
});

t.test('a reader that takes its time over the tail is not given up', async (t) => {
  const { under, clock, record } = studio();
  under.tail = [
    packet(1),
    VoiceResult.VOICE_RESULT_NO_DATA,
    packet(2),
    VoiceResult.VOICE_RESULT_NO_DATA,
    packet(3),
  ];
  const recorder = record();
  recorder.stop();
  const got: number[] = [];
  for await (const [number = -1] of recorder) {
    got.push(number);
    clock.nowMs += 60_000;
  }
  t.strictSame(got, [1, 2, 3]);
});

t.test('an iteration that is left before its first packet stops the recording', async (t) => {
  const { under, record } = studio();
  const recorder = record();
  under.voice.push(packet(1));
  const iterator = recorder[Symbol.asyncIterator]();
  await iterator.next();
  await iterator.return();
  t.equal(count(under, 'stopVoiceRecording'), 1);
});
