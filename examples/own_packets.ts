/** Sends Steam Voice packets from your own calls of getVoice: node dist/examples/own_packets.js ws://127.0.0.1:7800 */

import { TalkspurtNumberer, VoiceResult } from 'hotmic';
import { joinLobby } from 'hotmic/client';
import { EmbeddedSteam } from 'hotmic/steam';

const [url = 'ws://127.0.0.1:7800'] = process.argv.slice(2);
const now = () => Number(process.hrtime.bigint()) / 1e6;

// Any object with Steam's voice functions. Here it is the embedded Steam with a tone as its microphone.
const steam = new EmbeddedSteam({ steamId: 76561197960265729n, input: { kind: 'tone' } });
const lobby = await joinLobby({ url, lobby: 'den', steamId: steam.getSteamID(), name: 'Ada' });
const numberer = new TalkspurtNumberer(now());

const keyUpAt = now() + 1000;
let phase: 'talking' | 'draining' = 'talking';
steam.startVoiceRecording();
for (;;) {
  const { result, buffer } = steam.getVoice(); // once a game frame, until NOT_RECORDING
  if (result === VoiceResult.VOICE_RESULT_NOT_RECORDING) break;
  if (result === VoiceResult.VOICE_RESULT_OK)
    for (const packet of numberer.push(buffer, now(), phase)) lobby.publish(packet);
  if (phase === 'talking' && now() >= keyUpAt) {
    steam.stopVoiceRecording();
    phase = 'draining';
  }
  await new Promise((resolve) => setTimeout(resolve, 16));
}
for (const packet of numberer.end()) lobby.publish(packet);
console.log(`sent ${lobby.counts().framesSent} voice frames`);
await lobby.leave();
steam.close();
