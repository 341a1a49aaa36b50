/** The scenarios in a browser: bundled, with the client as a browser gets it. */

import { joinLobby, joinVoice, PcmMicrophone, type PcmMicrophoneOptions } from '../../../client/index.js';
import { loadCodec } from '../../../wasm/load_browser.js';
import { type Place, SCENARIOS } from './scenarios.js';

/** What the test and its page know each other by. */
const page = globalThis as {
  control?: Place['control'];
  play?: (name: string, url: string, next: string) => Promise<string>;
};

const client = {
  joinLobby,
  joinVoice,
  makeMicrophone: (options: PcmMicrophoneOptions) => new PcmMicrophone(options),
  loadCodec: () => loadCodec({ url: '/codec.wasm' }),
};

page.play = async (name, url, next) => {
  await client.loadCodec();
  const control: Place['control'] = (what) => page.control!(what);
  return JSON.stringify(await SCENARIOS[name]!(client, { url, next, control }));
};
