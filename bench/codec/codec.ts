/**
 * The codec against native libopus of the same source and against npm's codecs, and our resampler against speexdsp's. All have the same
 * input in one run: human speech, with Steam's settings. The others are installed and compiled under out/bench/; those that are not
 * available are skipped with a reason. Every subject is first checked to do the work that it is timed for.
 */

import { existsSync, readFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { loadCodec } from '../../wasm/load.js';
import { type Row, row, type Trial } from '../result.js';
import { decodeFaults, encodeFaults } from './checks.js';
import { PEERS } from './install.js';
import { nativeCodec, nativeResampler } from './native.js';
import { loadPeers, type Peer } from './peers.js';
import { resampling } from './resampling.js';
import { type Group, inRounds, LEAST_MS, ROUNDS, repeat } from './rounds.js';
import { scalarCodec } from './scalar.js';
import { humanSpeech } from './speech.js';
import { concat, ownDecodings, ownEncodings, ownVoice, SETTINGS } from './subject.js';

const NATIVE = 'native libopus';

export const codec: Trial = {
  name: 'codec',
  about:
    `human speech, ${SETTINGS.rateHz / 1000} kHz mono, frames of 20 ms, ${SETTINGS.bitrate / 1000} kbit/s VBR, VOIP, ` +
    `complexity ${SETTINGS.complexity}, no DTX; ${ROUNDS} rounds of ${LEAST_MS} ms or more of processor time each, interleaved`,
  async run() {
    loadCodec();
    const { pcm, source, missing } = humanSpeech();
    const seconds = pcm.length / SETTINGS.rateHz;
    const own = ownEncodings(pcm);
    const packets = own[0]!.packets();
    const ownPcm = ownDecodings(packets)[0]!.pcm();
    const native = await nativeCodec(pcm, packets);
    const speex = await nativeResampler();
    const { peers, skipped } = await loadPeers({ pcm, packets });
    if (native.kind === 'skipped') skipped.push(`${NATIVE}, and all ratios to it: ${native.reason}`);
    if (speex.kind === 'skipped') skipped.push(`native speexdsp: ${speex.reason}`);
    if (missing !== null) skipped.push(`human speech: ${missing}`);

    const voice = ownVoice(pcm);
    const scalar = await scalarCodec(pcm, packets);
    const encodings = [...own, ...peers.flatMap((peer) => peer.encodings)];
    const decodings = [...ownDecodings(packets), ...peers.flatMap((peer) => peer.decodings)];
    const faults = [
      ...[...encodings, voice.encoding, scalar].flatMap((subject) =>
        encodeFaults(subject, subject.packets(), packets, ownPcm),
      ),
      ...[...decodings, voice.decoding, scalar].flatMap((subject) =>
        decodeFaults(subject, subject.pcm(), ownPcm),
      ),
    ];
    const timed = (of: string) => (subject: { subject: string; form: string; pass(): void }) => ({
      subject: subject.subject,
      case: `${of}, ${subject.form}`,
      measure: () => repeat(seconds, () => subject.pass()),
    });
    const groups: Group[] = [
      {
        base: native.kind === 'built' ? { subject: NATIVE, case: 'encode', measure: native.encode } : null,
        others: [...encodings.map(timed('encode')), timed('getVoice')(voice.encoding), scalar.encode],
      },
      {
        base: native.kind === 'built' ? { subject: NATIVE, case: 'decode', measure: native.decode } : null,
        others: [...decodings.map(timed('decode')), timed('decompressVoice')(voice.decoding), scalar.decode],
      },
    ];
    const resampled = resampling(concat([pcm]), speex.kind === 'built' ? speex : null);

    const { rows, unsteady } = inRounds([...groups, ...resampled.groups]);
    resampled.free();
    await scalar.end();
    if (native.kind === 'built') {
      const subject = { subject: NATIVE, form: 'in C' };
      faults.push(...encodeFaults(subject, native.packets(), packets, ownPcm));
      faults.push(...decodeFaults(subject, native.pcm(), ownPcm));
    }
    faults.push(...resampled.faults);
    const versions: Record<string, string> = { speech: source };
    if (native.kind === 'built') versions[NATIVE] = native.about;
    if (speex.kind === 'built') versions['native speexdsp'] = speex.about;
    for (const { name } of peers) versions[name] = `${PEERS[name].version}, libopus ${PEERS[name].libopus}`;
    return {
      rows: [...rows, ...resampled.rows, ...sizes(peers)],
      void: faults.length > 0 ? faults.join('; ') : unsteady,
      versions,
      skipped,
    };
  },
};

/** Sizes of the modules in bytes, plain and compressed with brotli's best quality. */
function sizes(peers: readonly Peer[]): Row[] {
  const own = ['hotmic_wasm_bg', 'hotmic_wasm_scalar_bg'].map((name, i) => ({
    subject: 'hotmic',
    what: ['SIMD', 'scalar'][i]!,
    url: new URL(`../../wasm/pkg/${name}.wasm`, import.meta.url),
  }));
  const all = [
    ...own.filter(({ url }) => existsSync(url)).map((file) => ({ ...file, bytes: readFileSync(file.url) })),
    ...peers.flatMap(({ name, wasm }) => wasm.map((file) => ({ subject: name, ...file }))),
  ];
  return [
    ...all.map(({ subject, what, bytes }) => row(subject, `wasm, ${what}`, 'size', 'bytes', [bytes.length])),
    ...all.map(({ subject, what, bytes }) =>
      row(subject, `wasm, ${what}`, 'size, brotli', 'bytes', [brotliCompressSync(bytes).length]),
    ),
  ];
}
