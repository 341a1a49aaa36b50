/** One microphone, one reader: a second one is refused with a code, and key-up of the `User` class ends any recording. */

import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { type Capture, realSteam, startCapture } from '../../../native/capture/capture.js';
import { openSteam } from '../../../native/open_steam.js';
import type { Steam } from '../../../native/steam.js';
import { CaptureTag, captureKind } from '../../../voice/capture_tag.js';
import { type AddonSteams, addonSteams } from '../real/addon_steams.js';

const got = await addonSteams();
const skip = typeof got === 'string' ? got : false;
const steams = got as AddonSteams;
t.teardown(() => typeof got !== 'string' && got.remove());

const IN_USE = { code: 'ERR_HOTMIC_CAPTURE', message: /is using the microphone/ };

interface Opened {
  readonly steam: Steam;
  /** Lets a packet be there for getVoice; the embedded Steam hears a tone anyway. */
  readonly speak: () => void;
}

/** On the embedded Steam, the newest stand-in and the real library. */
function each(sentence: string, test: (t: Test, opened: Opened) => Promise<void>) {
  t.test(`${sentence}: embedded`, async (t) => {
    const steam = openSteam({
      embedded: 'always',
      frameMs: 0,
      embeddedOptions: { input: { kind: 'tone' }, speed: 50 },
    });
    await test(t, { steam, speak: () => undefined });
    steam.close();
  });
  for (const name of ['newest', 'real'] as const) {
    t.test(`${sentence}: ${name}`, { skip }, async (t) => {
      const under = steams[name];
      if (under === null) {
        t.pass('the real library runs', { skip: 'it does not run here' });
        return;
      }
      under.controls.reset();
      const steam = openSteam({ embedded: 'never', library: under.library, appId: 480, frameMs: 0 });
      let packets = 0;
      const speak = () => {
        under.controls.run(`voice queue ${under.controls.run(`voice make 400 ${packets++}`)}`);
      };
      await test(t, { steam, speak });
      steam.close();
      under.controls.reset();
    });
  }
}

/** Reads the ring until an entry of this kind. */
async function readUntil(capture: Capture, tag: number): Promise<void> {
  for (;;) {
    const entry = capture.ring.read();
    if (entry === null) {
      if (capture.ring.closed) throw new Error('the ring is closed');
      await capture.ring.waitAsync(1000);
      continue;
    }
    const kind = captureKind(entry.tag);
    capture.ring.release();
    if (kind === tag) return;
  }
}

each('while a capture is there, nobody else reads the microphone', async (t, { steam }) => {
  for (const thread of ['caller', 'worker'] as const) {
    const capture = await startCapture({ steam: steam.capture, thread });
    t.throws(() => steam.recordVoice(), IN_USE);
    t.throws(() => steam.user.getVoice(), IN_USE);
    t.throws(() => steam.user.startVoiceRecording(), IN_USE);
    await t.rejects(startCapture({ steam: steam.capture, thread }), IN_USE);
    steam.user.getAvailableVoice();
    await capture.close();
    t.equal(steam.user.getVoice().result, 2, 'free again: NOT_RECORDING');
  }
});

each('while a recording goes on, nobody else reads the microphone', async (t, { steam, speak }) => {
  const recording = steam.recordVoice({ frameHz: 1000 });
  t.throws(() => steam.recordVoice(), IN_USE);
  t.throws(() => steam.user.getVoice(), IN_USE);
  await t.rejects(startCapture({ steam: steam.capture }), IN_USE);
  speak();
  recording.stop();
  t.throws(() => steam.user.getVoice(), IN_USE, 'its tail is its own');
  for await (const packet of recording) t.ok(packet.length > 0);
  t.equal(steam.user.getVoice().result, 2, 'free again');
});

each('while the User class records, no capture and no recording begins', async (t, { steam, speak }) => {
  steam.user.startVoiceRecording();
  steam.user.startVoiceRecording();
  await t.rejects(startCapture({ steam: steam.capture }), IN_USE);
  t.throws(() => steam.recordVoice(), IN_USE);
  speak();
  t.not(steam.user.getVoice().result, 2);
  steam.user.stopVoiceRecording();
  const recording = steam.recordVoice({ frameHz: 1000 });
  recording.stop();
  for await (const packet of recording) t.ok(packet.length > 0, 'after key-up the tail is the next reader’s');
});

each(
  'stopVoiceRecording of the User class ends a running capture, tail and all',
  async (_t, { steam, speak }) => {
    for (const thread of ['caller', 'worker'] as const) {
      const capture = await startCapture({ steam: steam.capture, thread, frameHz: 1000 });
      capture.startVoiceRecording();
      speak();
      await readUntil(capture, CaptureTag.talking);
      steam.user.stopVoiceRecording();
      await readUntil(capture, CaptureTag.end);
      await capture.close();
    }
  },
);

each('stopVoiceRecording of the User class ends a recording', async (t, { steam, speak }) => {
  const recording = steam.recordVoice({ frameHz: 1000 });
  speak();
  let packets = 0;
  for await (const _packet of recording) {
    packets += 1;
    if (packets === 1) steam.user.stopVoiceRecording();
  }
  t.ok(packets >= 1);
  t.equal(recording.isStopped, true);
});

each('closing frees the microphone', async (t, { steam }) => {
  steam.user.startVoiceRecording();
  steam.close();
  steam.user.startVoiceRecording();
  t.equal(steam.user.getVoice().result, 1, 'NOT_INITIALIZED, and no refusal');
});

t.test('a capture that could not be started leaves the microphone free', async (t) => {
  const steam = { ...realSteam(), module: pathToFileURL('/nowhere/steam.js').href };
  await t.rejects(startCapture({ steam, thread: 'caller' }), {
    code: 'ERR_HOTMIC_CAPTURE',
    message: /nowhere/,
  });
  await t.rejects(startCapture({ steam, thread: 'worker' }), {
    code: 'ERR_HOTMIC_CAPTURE',
    message: /nowhere/,
  });
});

t.test('two Steams of one thread have the same real microphone', { skip }, async (t) => {
  const open = () => openSteam({ embedded: 'never', library: steams.newest.library, appId: 480, frameMs: 0 });
  const [ada, ben] = [open(), open()];
  ada.user.startVoiceRecording();
  t.throws(() => ben.user.getVoice(), IN_USE);
  ben.user.stopVoiceRecording();
  t.equal(ben.user.getVoice().result, 2, 'there is one microphone: key-up is for whoever records');
  ada.close();
  ben.close();
});

t.test('a capture ends its recording when another thread, or Steam itself, stops it', { skip }, async () => {
  const { library, controls } = steams.newest;
  controls.reset();
  const steam = openSteam({ embedded: 'never', library, appId: 480, frameMs: 0 });
  const capture = await startCapture({ steam: steam.capture, thread: 'worker', frameHz: 1000 });
  capture.startVoiceRecording();
  controls.run(`voice queue ${controls.run('voice make 400 0')}`);
  await readUntil(capture, CaptureTag.talking);
  // Past the rule of one reader, as another thread's addon would.
  steams.addon.stopVoiceRecording();
  await readUntil(capture, CaptureTag.end);
  await capture.close();
  steam.close();
});

t.test('a packet of 9000 bytes is counted by the capture and, at once, by its ring', { skip }, async (t) => {
  for (const { name, library, controls } of [steams.newest, ...(steams.real ? [steams.real] : [])]) {
    controls.reset();
    const steam = openSteam({ embedded: 'never', library, appId: 480, frameMs: 0 });
    const capture = await startCapture({ steam: steam.capture, thread: 'worker', frameHz: 1000 });
    capture.startVoiceRecording();
    for (const bytes of [9000, 8192, 8193]) {
      controls.run(`voice queue ${controls.run(`voice make ${bytes} 0`)}`);
    }
    controls.run(`voice queue ${controls.run('voice make 60 0')}`);
    await readUntil(capture, CaptureTag.talking);
    await readUntil(capture, CaptureTag.talking);
    t.match(capture.ring.counts(), { refused: 2 }, name);
    t.match(await capture.close(), { packets: 2, tooLarge: 2 }, name);
    steam.close();
  }
});
