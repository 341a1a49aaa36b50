/** When the microphone records, over any order of keys, modes and mutes. */

import * as fc from 'fast-check';
import t from 'tap';
import { type CaptureCommand, TALK_MODES, TalkKey, type TalkMode } from '../../../client/talking/talk_key.js';
import { SEED } from '../../kit/random.js';

/** Gives the key an event by name. */
function take(key: TalkKey, what: string): CaptureCommand {
  switch (what) {
    case 'press':
      return key.press();
    case 'release':
      return key.release();
    case 'mute':
      return key.setMute('muted');
    case 'unmute':
      return key.setMute('not-muted');
    case 'ended':
      key.ended();
      return null;
    default:
      return key.setMode(what as TalkMode);
  }
}

t.test('push-to-talk records while the key is down, and is live until the tail is over', async (t) => {
  const key = new TalkKey('push-to-talk');
  t.equal(key.isLive, false);
  t.equal(key.press(), 'start');
  t.equal(key.press(), null, 'a keyboard repeats a key');
  t.equal(key.isLive, true);
  t.equal(key.release(), 'stop');
  t.equal(key.isLive, true, 'the tail is still heard');
  key.ended();
  t.equal(key.isLive, false);
  t.equal(key.release(), null);
});

t.test('a key pressed again in the tail goes on recording', async (t) => {
  const key = new TalkKey('push-to-talk');
  key.press();
  key.release();
  t.equal(key.press(), 'start');
  t.equal(key.isLive, true);
});

t.test('a toggle records from one press to the next', async (t) => {
  const key = new TalkKey('toggle');
  t.same([key.press(), key.release()], ['start', null]);
  t.equal(key.isLive, true);
  t.same([key.press(), key.release()], ['stop', null]);
  key.ended();
  t.equal(key.isLive, false);
});

t.test('mute beats every key and every mode, and unmuting goes on where the key is', async (t) => {
  for (const mode of TALK_MODES) {
    const key = new TalkKey(mode);
    key.setMode(mode);
    key.press();
    t.equal(key.setMute('muted'), 'stop');
    t.equal(key.isLive, false, `${mode}: not even the tail`);
    t.equal(key.release(), null);
    t.equal(key.press(), null);
    t.equal(key.isLive, false);
    const command = mode === 'toggle' ? null : 'start';
    t.equal(key.setMute('not-muted'), command, `${mode}: after two presses`);
  }
});

t.test('a change of mode ends what the old one recorded', async (t) => {
  const key = new TalkKey('toggle');
  key.press();
  key.release();
  t.equal(key.setMode('push-to-talk'), 'stop');
  t.equal(key.setMode('voice-activation'), 'start');
  t.equal(key.setMode('toggle'), 'stop', 'a toggle begins switched off');
});

t.test(
  'in any order of events starts and stops alternate, and a muted microphone is never live',
  async () => {
    const event = fc.constantFrom('press', 'release', 'mute', 'unmute', 'ended', ...TALK_MODES);
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const key = new TalkKey('push-to-talk');
        let last = 'stop';
        for (const what of events) {
          const before = key.isRecording;
          const command = take(key, what);
          if (command === last) return false;
          if (command) last = command;
          if (key.isMuted && key.isLive) return false;
          if (last === 'start' && !key.isRecording) return false;
          // Only the end of a recording that was told to stop ends it.
          if (before && !key.isRecording && what !== 'ended') return false;
        }
        return true;
      }),
      { seed: SEED, numRuns: 2000 },
    );
  },
);
