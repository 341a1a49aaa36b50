/** `talk --mic` and `listen --play` with a real sound server: what is said into the one is what is recorded from the other. */

import t from 'tap';
import { runCli, startCli, startRelayCli } from '../../kit/cli.js';
import { NO_PULSEAUDIO, type NullSinks, startNullSinks } from '../../kit/sound/null_sinks.js';
import { compareSpeech, pcmOfWav, type SpeechComparison } from '../../kit/speech.js';

const SKIP = { skip: NO_PULSEAUDIO };

/** On a busy machine the sound server itself has gaps: one round without any is enough. */
const ROUNDS = 6;

/** One pass of the speech. */
interface Round {
  readonly heard: SpeechComparison;
  /** The sound server alone: what it played into the microphone. */
  readonly served: SpeechComparison;
  readonly latestTimerMs: number;
}

/** How late a timer of 10 ms came at worst: whether this machine gives processes their time. */
function latestTimer() {
  let latestMs = 0;
  let dueAt = performance.now() + 10;
  const timer = setInterval(() => {
    latestMs = Math.max(latestMs, performance.now() - dueAt);
    dueAt = performance.now() + 10;
  }, 10);
  return {
    stop: () => {
      clearInterval(timer);
      return latestMs;
    },
  };
}

/** The examples are not compiled. */
const SPEECH = new URL('../../../../examples/speech/ada.wav', import.meta.url);

t.test('what is said into the microphone is heard from the output', SKIP, async (t) => {
  const sinks = await startNullSinks(t, ['said', 'heard']);
  const { env } = sinks;
  const { url } = await startRelayCli(t);
  const said = pcmOfWav(SPEECH);
  // A steady delay: a busy machine must not make the playout stretch a word, which is right and not the same sound.
  const play = ['listen', url, '-l', 'den', '--play', 'heard', '--min-delay', '400'];
  const listen = startCli(t, play, { env });
  await listen.printed('stderr', /Playing to heard, by pacat\.\n/);
  const talk = startCli(t, ['talk', url, '-l', 'den', '-n', 'Ada', '--mic', 'said'], { env });
  await talk.printed('stderr', /^Microphone: Monitor of said, by parec\.\n(?:.*\n)*The microphone is live\n/);
  await listen.printed('stderr', /Ada speaks\n/);
  // Time for the server to adjust its buffers to both.
  await sinks.play('said', new Int16Array(2 * 24_000));
  const rounds: Round[] = [];
  while (rounds.length < ROUNDS && rounds.at(-1)?.heard.verdict !== 'same') {
    const [recording, control, clock] = [sinks.record('heard'), sinks.record('said'), latestTimer()];
    await sinks.play('said', Int16Array.from([...said, ...new Int16Array(2 * 24_000)]));
    const heard = compareSpeech(said, await recording.stop());
    const served = compareSpeech(said, await control.stop());
    rounds.push({ heard, served, latestTimerMs: clock.stop() });
  }
  const inTime = rounds.filter(
    ({ served, latestTimerMs }) => served.verdict === 'same' && latestTimerMs < 50,
  );
  const isTooBusy = rounds.at(-1)?.heard.verdict !== 'same' && inTime.length === 0;
  const skip = isTooBusy && `this machine is too busy for sound in real time: ${JSON.stringify(rounds)}`;
  await t.test('one round is the same sound', { skip }, async (t) => {
    t.equal(rounds.at(-1)?.heard.verdict, 'same', JSON.stringify(rounds));
  });
  talk.signal('SIGINT');
  t.match(await talk.ended, {
    code: 0,
    stderr: /The microphone is off\nSent \d+ voice packets in 1 talkspurt/,
  });
  await listen.printed('stderr', /Ada left\n/);
  listen.signal('SIGINT');
  t.equal((await listen.ended).code, 0);
});

t.test('devices lists them; an unknown one is refused before joining', SKIP, async (t) => {
  const { env } = await startNullSinks(t, ['said', 'heard']);
  const listed = await runCli(t, ['devices', '--json', '--sound-tool', 'pulse'], { env });
  t.equal(listed.code, 0);
  t.strictSame(
    listed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      ...['said', 'heard'].map((name) => ({
        ...{ direction: 'capture', tool: 'pulse', id: `${name}.monitor`, label: `Monitor of ${name}` },
        ...{ default: name === 'said', monitor: true },
      })),
      ...['said', 'heard'].map((name) => ({
        ...{ direction: 'play', tool: 'pulse', id: name, label: name },
        ...{ default: name === 'said', monitor: false },
      })),
    ],
  );
  t.match(await runCli(t, ['talk', 'ws://127.0.0.1:1', '-l', 'den', '--mic', 'webcam'], { env }), {
    code: 1,
    stderr: /^hotmic: Cannot use a microphone: no device is called "webcam"[^\n]*\[ERR_HOTMIC_SOUND\]\n$/,
  });
});

/** Unplugs the only device, so that the server cannot move anybody to another one. */
function unplug(sinks: NullSinks): void {
  const [, module = ''] = /^(\d+)\tmodule-null-sink\t/m.exec(sinks.control('list', 'short', 'modules')) ?? [];
  sinks.control('unload-module', module);
}

const plugIn = (sinks: NullSinks) => sinks.control('load-module', 'module-null-sink', 'sink_name=usb');

t.test('a microphone that is unplugged ends the talkspurt, and is waited for', SKIP, async (t) => {
  const sinks = await startNullSinks(t, ['usb']);
  const { url } = await startRelayCli(t);
  const listen = startCli(t, ['listen', url, '-l', 'den']);
  await listen.printed('stderr', /In lobby/);
  const talk = startCli(t, ['talk', url, '-l', 'den', '-n', 'Ada', '--mic', 'usb'], { env: sinks.env });
  await listen.printed('stderr', /Ada speaks\n/);
  unplug(sinks);
  await talk.printed('stderr', /The microphone is gone: [^\n]+\. Waiting for it\.\nThere is no microphone\n/);
  await listen.printed('stderr', /Ada is silent\n/);
  plugIn(sinks);
  await talk.printed('stderr', /The microphone is back\.\n(?:.*\n)*The microphone is live\n/);
  await listen.printed('stderr', /Ada speaks\n(?:.*\n)*.*Ada speaks\n/);
  talk.signal('SIGINT');
  t.equal((await talk.ended).code, 0);
});

t.test('an output that is gone is waited for', SKIP, async (t) => {
  const sinks = await startNullSinks(t, ['usb']);
  const { url } = await startRelayCli(t);
  const listen = startCli(t, ['listen', url, '-l', 'den', '--play', 'usb'], { env: sinks.env });
  await listen.printed('stderr', /Playing to usb, by pacat\.\n/);
  unplug(sinks);
  await listen.printed('stderr', /The sound device is gone: [^\n]+\. Waiting for it\.\n/);
  plugIn(sinks);
  await listen.printed('stderr', /Playing again to usb, by pacat\.\n/);
  listen.signal('SIGINT');
  t.equal((await listen.ended).code, 0);
});
