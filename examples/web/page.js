/** A bare page: join, hold the button, talk. Bundle it: esbuild page.js --bundle --format=esm --loader:.wasm=file --outdir=out */

import { joinVoice, PcmMicrophone } from 'hotmic/client';
import { loadCodec } from 'hotmic/codec';
import codecUrl from 'hotmic/codec.wasm';

const PROCESSOR = `registerProcessor('voice', class extends AudioWorkletProcessor {
  #queue = [];
  constructor() { super(); this.port.onmessage = ({ data }) => this.#queue.push(...data); }
  process([[heard]], [[out]]) {
    this.port.postMessage(heard?.slice() ?? new Float32Array(out.length));
    for (let at = 0; at < out.length; at++) out[at] = (this.#queue.shift() ?? 0) / 32768;
    return true;
  }
})`;

const button = document.querySelector('button');
async function join() {
  const context = new AudioContext({ sampleRate: 48_000 });
  const processor = new Blob([PROCESSOR], { type: 'text/javascript' });
  await context.audioWorklet.addModule(URL.createObjectURL(processor));
  await loadCodec({ url: codecUrl });
  const voice = await joinVoice({
    url: new URL(location.href).searchParams.get('relay') ?? 'ws://127.0.0.1:7800',
    ...{ lobby: 'den', name: 'A bare page' },
  });
  const microphone = new PcmMicrophone({ steamId: voice.you.steamId, sampleRateHz: context.sampleRate });
  voice.setMicrophone(microphone);
  const node = new AudioWorkletNode(context, 'voice');
  node.port.onmessage = ({ data: heard }) => {
    microphone.write(heard);
    node.port.postMessage(voice.pull(new Int16Array(heard.length)));
  };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  context.createMediaStreamSource(stream).connect(node).connect(context.destination);
  button.textContent = 'Hold to talk';
  button.onpointerdown = () => voice.press();
  button.onpointerup = button.onpointercancel = () => voice.release();
}
button.addEventListener('click', join, { once: true });
