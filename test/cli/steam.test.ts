/** `hotmic steam` and `hotmic talk --steam`, on the stand-in for libsteam_api. */

import t from 'tap';
import { loadAddon } from '../../native/real/addon.js';
import { startRelay } from '../../relay/index.js';
import { runCli } from '../kit/cli.js';
import { buildStandIns } from '../kit/stand_in_steam.js';

const addon = loadAddon();
const standIns = await buildStandIns();
const skip = addon.kind === 'missing' ? addon.reason : standIns.kind === 'skipped' ? standIns.reason : false;
const library = standIns.kind === 'built' ? standIns.libraries.sdk160 : '';

t.test('steam prints who is logged on, and the library that says so', { skip }, async (t) => {
  const { code, stdout } = await runCli(t, ['steam', '--library', library, '--app-id', '480']);
  t.equal(code, 0);
  t.match(
    stdout,
    /^Steam {6}SteamUser023 by \/.*libsteam_api\.so\nSteamID {4}76561197960265729\nlogged on {2}yes\n/,
  );
});

t.test('without Steam it fails with the reason and what to do', async (t) => {
  const { code, stderr } = await runCli(t, ['steam', '--library', '/nowhere/libsteam_api.so']);
  t.equal(code, 1);
  t.match(stderr, /^hotmic: Cannot open Steam: .*\[ERR_HOTMIC_STEAM\]\n$/);
});

t.test(
  "talk --steam speaks as the player who is logged on, and releases Steam's microphone",
  { skip },
  async (t) => {
    const relay = await startRelay({ dev: true });
    t.teardown(() => relay.close());
    process.env.HOTMIC_STEAM_LIBRARY = library;
    t.teardown(() => delete process.env.HOTMIC_STEAM_LIBRARY);
    const said = await runCli(t, ['talk', relay.url, '-l', 'den', '--steam', '480', '--seconds', '0.1']);
    t.equal(said.code, 0, said.stderr);
    t.match(said.stderr, /Sent 0 voice packets/, 'the stand-in has nobody before its microphone');
    const both = await runCli(t, ['talk', relay.url, '-l', 'den', '--steam', '480', '--tone', '440']);
    t.equal(both.code, 2);
    t.match(both.stderr, /cannot be used with/);
  },
);
