/** What screenshots.ts takes pictures of: a worker thread with a relay and four people in a lobby. Cleo speaks. It posts the lobby's link. */

import { parentPort } from 'node:worker_threads';
import { joinVoice, PcmMicrophone, type Voice } from '../../client/index.js';
import { startRelay } from '../../relay/index.js';
import { personSteamId } from '../../voice/steam_id.js';
import { FRAME_SAMPLES, samplesOfMs, VOICE_RATE_HZ } from '../../voice/units.js';
import { pcmOfWav } from '../kit/speech.js';
import { pageUrl } from './page_kit.js';

const LOBBY = 'friday-night';

const relay = await startRelay({ dev: true, page: true });
const [, cleo, , emil] = await Promise.all(['Ben', 'Cleo', 'Dana Reyes', 'Emil'].map(joinPerson));
emil!.enter(['red']);
speakForever(cleo!);
parentPort?.postMessage(pageUrl(relay, LOBBY));

async function joinPerson(name: string, index: number): Promise<Voice> {
  return joinVoice({ url: relay.url, lobby: LOBBY, name, steamId: personSteamId(index + 1) });
}

function speakForever(voice: Voice): void {
  // With pauses, in which the playout of a listener finds its delay again, as with people.
  const pcm = new Int16Array(9 * VOICE_RATE_HZ);
  pcm.set(pcmOfWav('examples/speech/cleo.wav'));
  const microphone = new PcmMicrophone({ steamId: voice.you.steamId, sampleRateHz: VOICE_RATE_HZ });
  voice.setMicrophone(microphone);
  voice.press();
  const began = performance.now();
  let written = 0;
  // As much as is due: a timer alone would fall behind.
  setInterval(() => {
    const due = samplesOfMs(performance.now() - began);
    for (; written + FRAME_SAMPLES <= due; written += FRAME_SAMPLES) {
      const at = written % pcm.length;
      microphone.write(pcm.subarray(at, at + FRAME_SAMPLES));
    }
  }, 10);
}
