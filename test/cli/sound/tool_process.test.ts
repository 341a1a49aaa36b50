/** Sound tools that fail, stall or flood: nothing grows, and everything is counted and said. The tools are shell scripts. */

import t, { type Test } from 'tap';
import type { ChosenSound } from '../../../cli/sound/choose.js';
import { DeviceMicrophone } from '../../../cli/sound/microphone.js';
import { PcmBytes } from '../../../cli/sound/pcm_bytes.js';
import { DeviceSpeaker } from '../../../cli/sound/speaker.js';
import { SOUND_TOOLS } from '../../../cli/sound/tools.js';
import { deferred } from '../../../voice/deferred.js';

const SKIP = { skip: process.platform === 'win32' && 'needs sh' };

/** The tool alsa says nothing about what it has played. */
const alsa = SOUND_TOOLS.find(({ name }) => name === 'alsa')!;

const scripted = (script: string): ChosenSound => ({
  tool: alsa,
  invocation: { program: 'sh', args: ['-c', script] },
  label: 'USB, by sh',
});

/** A microphone of that script, and what is said about it. */
async function microphone(t: Test, script: string) {
  const lost = deferred<string>();
  const back = deferred<void>();
  let samples = 0;
  const device = await DeviceMicrophone.open(scripted(script), {
    onSound: (pcm) => {
      samples += pcm.length;
    },
    onLost: lost.resolve,
    onBack: back.resolve,
  });
  t.teardown(() => device.close());
  return { device, lost: lost.promise, back: back.promise, samples: () => samples };
}

t.test('a microphone that ends says why, and is started again', SKIP, async (t) => {
  const { lost, back } = await microphone(
    t,
    'head -c 960 /dev/zero; sleep 0.1; echo "no such\\033[2J device" >&2; exit 1',
  );
  t.equal(await lost, 'no such[2J device');
  await back;
});

t.test('a microphone that does not open is an error with the words of the tool', SKIP, async (t) => {
  await t.rejects(microphone(t, 'echo busy >&2; exit 1'), {
    code: 'ERR_HOTMIC_SOUND',
    message: 'Cannot use a microphone: USB, by sh: busy',
  });
});

t.test('sound that came too late at once is dropped and counted', SKIP, async (t) => {
  // Twenty seconds at once.
  const { device, lost, samples } = await microphone(t, 'head -c 960000 /dev/zero');
  await lost;
  t.ok(samples() <= 24_000, `${samples()} samples were taken`);
  t.equal(samples() + device.lateSamples, 480_000);
});

t.test(
  'a player that never reads is given no more than its pipe holds, and is started again',
  SKIP,
  async (t) => {
    const lost = deferred<string>();
    let pulled = 0;
    const speaker = await DeviceSpeaker.open(scripted('exec sleep 600'), {
      pull: (pcm) => {
        pulled += pcm.length;
      },
      onLost: lost.resolve,
      onBack: () => undefined,
    });
    t.teardown(() => speaker.close());
    t.equal(await lost.promise, 'it stopped reading');
    t.ok(speaker.leftOut > 0, `${speaker.leftOut} samples were left out`);
    // A pipe holds some hundred kilobytes.
    t.ok(pulled * 2 < 2_000_000, `${pulled} samples were given`);
  },
);

t.test('a player that ends at once is an error', SKIP, async (t) => {
  const events = { pull: () => undefined, onLost: () => undefined, onBack: () => undefined };
  await t.rejects(DeviceSpeaker.open(scripted('echo no device >&2; exit 1'), events), {
    code: 'ERR_HOTMIC_SOUND',
    message: 'Cannot play sound: USB, by sh: no device',
  });
  const missing = { ...scripted(''), invocation: { program: '/nowhere/aplay', args: [] } };
  await t.rejects(DeviceSpeaker.open(missing, events), { code: 'ERR_HOTMIC_SOUND', message: /ENOENT/ });
});

t.test('a sample may be cut in two by the pipe', async (t) => {
  const bytes = new PcmBytes();
  t.strictSame([...bytes.samples(Uint8Array.of(1, 0, 2))], [1]);
  t.strictSame([...bytes.samples(Uint8Array.of(0, 0xff, 0xff))], [2, -1]);
  bytes.samples(Uint8Array.of(7));
  bytes.reset();
  t.strictSame([...bytes.samples(Uint8Array.of(3, 0))], [3]);
});
