/**
 * Scripts for the pages of the benchmark: a mouth that takes the microphone's place, and taps that keep what passes, with the times at which it did.
 *
 * An AudioWorklet has no clock but Date.now, in whole ms, and the browser runs it in bursts. So each tap keeps, for each block of 128 samples, its first
 * sample's number and the time. The least difference of the two over a run says when sample 0 was: to the sample, but for a constant of at most a ms.
 */

/** Runs in both pages before their own scripts. */
export const TAPS = `
  const tapWorklet = URL.createObjectURL(new Blob([\`
    registerProcessor('tap', class extends AudioWorkletProcessor {
      process([[mono]]) {
        if (mono) this.port.postMessage([currentFrame, Date.now(), mono.slice()]);
        return true;
      }
    });
    registerProcessor('mouth', class extends AudioWorkletProcessor {
      constructor({ processorOptions }) {
        super();
        this.signal = processorOptions.signal;
      }
      process(_, [[out]]) {
        for (let at = 0; at < out.length; at++) out[at] = this.signal[(currentFrame + at) % this.signal.length];
        this.port.postMessage([currentFrame, Date.now(), null]);
        return true;
      }
    });\`], { type: 'text/javascript' }));
  /** By name: blocks of [number of the first sample, time, samples]. */
  globalThis.taps = {};
  globalThis.rates = {};
  const keep = (name, context, node) => {
    taps[name] = [];
    rates[name] = context.sampleRate;
    node.port.onmessage = ({ data }) => taps[name].push(data);
  };
  const { connect } = AudioNode.prototype;
  const tap = async (name, from) => {
    await from.context.audioWorklet.addModule(tapWorklet);
    const node = new AudioWorkletNode(from.context, 'tap', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
    keep(name, from.context, node);
    connect.call(from, node);
  };
  AudioNode.prototype.connect = function (to) {
    if (to instanceof AudioDestinationNode) void tap('output', this);
    if (this instanceof MediaStreamAudioSourceNode) void tap('input', this);
    if (to instanceof AudioDestinationNode) globalThis.outputContext = this.context;
    return connect.call(this, to);
  };
  /** The microphone of this page is this signal, again and again. */
  globalThis.useMouth = (signal) => {
    navigator.mediaDevices.getUserMedia = async () => {
      const context = new AudioContext({ sampleRate: 48000 });
      await context.audioWorklet.addModule(tapWorklet);
      const mouth = new AudioWorkletNode(context, 'mouth', { numberOfInputs: 0, outputChannelCount: [1], processorOptions: { signal } });
      keep('mouth', context, mouth);
      const stream = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
      connect.call(mouth, stream);
      return stream.stream;
    };
  };
  /** What was kept, as plain data, and forgets it. */
  globalThis.takeTap = (name) => {
    const blocks = taps[name];
    taps[name] = [];
    return {
      rateHz: rates[name],
      begin: blocks[0]?.[0] ?? 0,
      frames: blocks.map(([frame]) => frame),
      times: blocks.map(([, time]) => time),
      samples: blocks.flatMap(([, , mono]) => (mono ? Array.from(mono, (sample) => Math.round(sample * 32767)) : [])),
      outputLatencyMs: 1000 * (globalThis.outputContext?.outputLatency ?? 0),
    };
  };`;

/** What `takeTap` gives. */
export interface Tap {
  readonly rateHz: number;
  /** The number of the first sample. */
  readonly begin: number;
  readonly frames: readonly number[];
  /** By Date.now. */
  readonly times: readonly number[];
  readonly samples: readonly number[];
  readonly outputLatencyMs: number;
}

/** When a sample passed, in ms on the clock of Date.now. */
export function timeOf({ rateHz, frames, times }: Tap, frame: number): number {
  let base = Number.POSITIVE_INFINITY;
  for (let at = 0; at < frames.length; at++)
    base = Math.min(base, times[at]! - (1000 * frames[at]!) / rateHz);
  return base + (1000 * frame) / rateHz;
}
