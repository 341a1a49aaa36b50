/** The level of a microphone, measured from packets. */

import t from 'tap';
import { PacketMeter } from '../../../client/playout/packet_meter.js';
import { FULL_SCALE } from '../../../voice/mixing/level_meter.js';
import { VOICE_RATE_HZ } from '../../../voice/units.js';
import { loadCodec } from '../../../wasm/load.js';
import { codecLiveBytes } from '../../../wasm/module.js';
import { talk } from '../../kit/playout/run.js';

loadCodec();

const tone = (amplitude: number) =>
  Int16Array.from({ length: VOICE_RATE_HZ }, (_, at) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * 440 * at) / VOICE_RATE_HZ)),
  );

t.test('a tone has its level, and one of a tenth 20 dB less', async (t) => {
  for (const [amplitude, expectedDb] of [
    [FULL_SCALE / 2, -6.02],
    [FULL_SCALE / 20, -26.02],
  ] as const) {
    const meter = new PacketMeter();
    for (const { packet } of talk(tone(amplitude), { dtx: false }).slice(0, -1)) meter.take(packet);
    const { rmsDb } = meter.level();
    t.ok(Math.abs(rmsDb - expectedDb) < 1, `${rmsDb.toFixed(2)} dBFS, expected about ${expectedDb}`);
    meter.close();
  }
});

t.test('what cannot be read changes nothing, and the decoder is freed once', async (t) => {
  const before = codecLiveBytes();
  const meter = new PacketMeter();
  t.same(meter.take(Uint8Array.of(1, 2, 3)), { rmsDb: -96, peakDb: -96 });
  meter.close();
  meter.close();
  t.equal(codecLiveBytes(), before);
});
