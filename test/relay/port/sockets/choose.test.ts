/** Which layer a relay takes, and what it says about it; with loaders that load nothing. */

import type * as UWebSockets from 'uWebSockets.js';
import t from 'tap';
import type { SocketsAddon } from '../../../../relay/port/sockets/addon/binding.js';
import {
  chooseSockets,
  type SocketsPlace,
  socketsWanted,
  thisPlace,
} from '../../../../relay/port/sockets/choose.js';
import { WS_COST } from '../../../../relay/port/sockets/cost.js';
import type { SocketLayer } from '../../../../relay/port/sockets/layer.js';

const WS: SocketLayer = {
  name: 'ws',
  library: 'ws',
  open: () => Promise.reject(new Error('not in this test')),
};
const ABSENT = Object.assign(new Error("Cannot find package 'uWebSockets.js' imported from relay.js"), {
  code: 'ERR_MODULE_NOT_FOUND',
});
const OLD_GLIBC = new Error(
  "/lib/libm.so.6: version `GLIBC_2.38' not found (required by uws_linux_x64_127.node)",
);
const NO_BINARY = new Error(
  "This version of uWS.js supports only\n  Node.js 20.\n\nError: Cannot find module './uws_linux_x64_147.node'",
);
const BROKEN = new Error('invalid ELF header');
const COST = `takes ${WS_COST.plain} times the processor time of uws per delivery (${WS_COST.tls} with TLS)`;

const NO_ADDON = new Error('No native build was found for platform=linux arch=ia32 runtime=node abi=147');
const ADDON_REASON = "; and Hotmic's addon with uWebSockets is not there for linux-ia32";

/** A place, and what was loaded there. `uws` and `addon`: what loading them throws. */
function place(
  changed: Partial<SocketsPlace> = {},
  uws: Error | null = null,
  addon: Error | null = NO_ADDON,
) {
  const loaded: string[] = [];
  const here: SocketsPlace = {
    isMainThread: true,
    nodeVersion: '26.1.0',
    uwsBy: undefined,
    loadUws: async () => {
      loaded.push('uws');
      if (uws) throw uws;
      return {} as typeof UWebSockets;
    },
    loadAddon: async () => {
      loaded.push('addon');
      if (addon) throw addon;
      return {} as SocketsAddon;
    },
    loadWs: async () => {
      loaded.push('ws');
      return WS;
    },
    ...changed,
  };
  return { here, loaded };
}

t.test('auto takes uWebSockets where it loads, and says what the other costs', async (t) => {
  const { here, loaded } = place();
  const { layer, why } = await chooseSockets('auto', here);
  t.equal(layer.name, 'uws');
  t.equal(why, `uws, because uWebSockets.js loads here; --sockets ws needs no native code and ${COST}`);
  t.same(loaded, ['uws'], 'the other is not loaded');
});

t.test('auto takes the addon where uWebSockets.js does not load, and says so in one line', async (t) => {
  for (const [thrown, brief] of [
    [ABSENT, 'uWebSockets.js is not installed'],
    [OLD_GLIBC, 'uWebSockets.js for Node 26.1.0 needs GLIBC_2.38'],
    [NO_BINARY, 'uWebSockets.js has no binary for Node 26.1.0'],
    [BROKEN, 'uWebSockets.js does not load in Node 26.1.0'],
  ] as const) {
    const { here, loaded } = place({}, thrown, null);
    const { layer, why } = await chooseSockets('auto', here);
    t.match(layer, { name: 'uws', library: 'addon' });
    t.equal(
      why,
      `uws, because Hotmic's addon with uWebSockets loads here (${brief}); --sockets ws needs no native code and ${COST}`,
    );
    t.same(loaded, ['uws', 'addon']);
    t.match(await chooseSockets('uws', here), { layer: { library: 'addon' }, why: null });
  }
});

t.test('tests can ask for one way to uWebSockets', async (t) => {
  const both = { uws: null, addon: null };
  for (const [uwsBy, library, expected] of [
    ['package', 'uWebSockets.js', ['uws']],
    ['addon', 'addon', ['addon']],
  ] as const) {
    const { here, loaded } = place({ uwsBy }, both.uws, both.addon);
    t.equal((await chooseSockets('uws', here)).layer.library, library);
    t.same(loaded, expected);
  }
  const { here } = place({ uwsBy: 'package' }, ABSENT, null);
  await t.rejects(chooseSockets('uws', here), { code: 'ERR_HOTMIC_RELAY_MISSING' });
});

t.test('auto takes ws where uWebSockets does not load, and says why and what to do', async (t) => {
  for (const [thrown, reason] of [
    [
      ABSENT,
      'the optional dependency uWebSockets.js is not installed: run npm install without --omit=optional',
    ],
    [
      OLD_GLIBC,
      'uWebSockets.js for Node 26.1.0 needs GLIBC_2.38, which this system does not have (the binaries for Node 22 and 24 need 2.38; ' +
        'Debian 12 has 2.36): use Debian 13, Ubuntu 24.04 or later',
    ],
    [
      NO_BINARY,
      'uWebSockets.js has no binary for Node 26.1.0 on this system (uws_linux_x64_147): ' +
        'use Node 22 or 24 on Linux with glibc 2.38 or later, macOS or Windows',
    ],
    [
      BROKEN,
      'uWebSockets.js does not load in Node 26.1.0, expected Node 20, 22 or 24 on glibc Linux, macOS or Windows: invalid ELF header',
    ],
  ] as const) {
    const { here, loaded } = place({}, thrown);
    const { layer, why } = await chooseSockets('auto', here);
    t.equal(layer, WS);
    t.equal(why, `ws, because ${reason}${ADDON_REASON}; it ${COST}`);
    t.notMatch(why, /\n/, 'one line');
    t.same(loaded, ['uws', 'addon', 'ws']);
  }
});

t.test('auto takes ws in a worker thread, and does not even load uWebSockets', async (t) => {
  const { here, loaded } = place({ isMainThread: false });
  const { layer, why } = await chooseSockets('auto', here);
  t.equal(layer, WS);
  t.equal(why, `ws, because uWebSockets does not run in a worker thread; it ${COST}`);
  t.same(loaded, ['ws']);
});

t.test('ws is taken where it is asked for, in any thread, without a word', async (t) => {
  for (const isMainThread of [true, false]) {
    const { here, loaded } = place({ isMainThread });
    t.same(await chooseSockets('ws', here), { layer: WS, why: null });
    t.same(loaded, ['ws']);
  }
});

t.test('uws is taken where it is asked for, or the relay does not start', async (t) => {
  const { layer, why } = await chooseSockets('uws', place().here);
  t.equal(layer.name, 'uws');
  t.equal(why, null);
  for (const [changed, thrown, code, message] of [
    [
      {},
      ABSENT,
      'ERR_HOTMIC_RELAY_MISSING',
      /^Cannot start the relay with uWebSockets: the optional dependency/,
    ],
    [{}, OLD_GLIBC, 'ERR_HOTMIC_RELAY_MISSING', /GLIBC_2\.38/],
    [{ isMainThread: false }, null, 'ERR_HOTMIC_THREAD', /worker thread.*sockets: 'ws'/],
  ] as const) {
    const { here, loaded } = place(changed, thrown);
    await t.rejects(chooseSockets('uws', here), { code, message });
    t.notOk(loaded.includes('ws'));
  }
});

t.test('the option decides; without it, or with auto, the environment; without both, auto', async (t) => {
  for (const [option, variable, wanted] of [
    [undefined, undefined, 'auto'],
    [undefined, '', 'auto'],
    ['auto', undefined, 'auto'],
    [undefined, 'ws', 'ws'],
    ['auto', 'uws', 'uws'],
    ['ws', 'uws', 'ws'],
    ['uws', 'ws', 'uws'],
    ['uws', 'nonsense', 'uws'],
  ] as const)
    t.equal(socketsWanted(option, { HOTMIC_RELAY_SOCKETS: variable }), wanted, `${option}, ${variable}`);
});

t.test('any other word is refused, by the name of where it stands', async (t) => {
  t.throws(() => socketsWanted('UWS', {}), {
    name: 'RangeError',
    message: 'Cannot start the relay: sockets is "UWS", expected auto, uws or ws',
  });
  t.throws(() => socketsWanted('auto', { HOTMIC_RELAY_SOCKETS: 'wss' }), {
    name: 'RangeError',
    message: 'Cannot start the relay: HOTMIC_RELAY_SOCKETS is "wss", expected auto, uws or ws',
  });
});

t.test('in this process, ws loads', async (t) => {
  t.equal((await chooseSockets('ws', thisPlace(true))).layer.name, 'ws');
});
