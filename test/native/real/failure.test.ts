/**
 * Why Steam could not be opened: each of Steam's texts as it really comes, with the code that really comes with it, in words that
 * name the reason, quote Steam, and say what to do.
 */

import t from 'tap';
import { explainFailure, type SteamFailure, SteamOpenError } from '../../../native/real/failure.js';
import { HotmicError } from '../../../voice/error.js';

const LIBRARY = '/game/libsteam_api.so';

function failure(change: Partial<SteamFailure>): SteamFailure {
  return { stage: 'init', code: 1, text: '', library: LIBRARY, ...change };
}

/** The reason first, what to do last. */
const INIT_FAILURES: readonly (readonly [
  code: number | null,
  text: string,
  reason: RegExp,
  advice: RegExp,
])[] = [
  [
    1,
    "Failed to load module '/home/u/.steam/sdk64/steamclient.so'",
    /^Steam is not installed/,
    /Install Steam/,
  ],
  [
    1,
    "Failed to load module '(null)/.steam/sdk64/steamclient.so'",
    /^Steam is not installed/,
    /Install Steam/,
  ],
  [1, 'Could not determine Steam client install directory.', /^Steam is not installed/, /Install Steam/],
  [1, 'No SteamClient021', /^Steam is older/, /Update Steam/],
  [
    2,
    'Cannot create IPC pipe to Steam client process.  Steam is probably not running.',
    /^Steam is not running/,
    /Start Steam/,
  ],
  [1, 'ConnectToGlobalUser failed.', /logged in/, /Log in to Steam/],
  [
    1,
    'No appID found.  Either launch the game from Steam, or put the file steam_appid.txt containing the correct appID in your game folder.',
    /^no app id/,
    /steam_appid\.txt/,
  ],
  [3, 'No SteamUser023', /^Steam is older/, /Update Steam/],
];

for (const [code, text, reason, advice] of INIT_FAILURES) {
  t.test(`${code}, “${text.slice(0, 40)}…”: the reason, Steam's text in quotes, what to do`, async (t) => {
    const line = explainFailure(failure({ code, text }));
    t.match(line, reason);
    t.ok(line.includes(`“${text}”`));
    t.match(line.slice(line.indexOf('”). ')), advice);
    t.notMatch(line, /\n/, 'one line');
  });
}

t.test(
  'on Linux a Steam that is not installed has the code 1: the text decides before the code',
  async (t) => {
    for (const code of [1, 2, 3, null]) {
      const line = explainFailure(failure({ code, text: "Failed to load module '/x/steamclient.so'" }));
      t.match(line, /^Steam is not installed/);
    }
  },
);

t.test('where the text says nothing the code does', async (t) => {
  t.match(explainFailure(failure({ code: 2 })), /^Steam is not running\. Start Steam/);
  t.match(
    explainFailure(failure({ code: 2, text: 'Läuft nicht' })),
    /^Steam is not running.+“Läuft nicht”\)\. Start/,
  );
  t.match(explainFailure(failure({ code: 3 })), /^Steam is older.*\. Update Steam/);
  t.match(explainFailure(failure({ code: 3, text: 'Zu alt' })), /“Zu alt”/);
});

t.test('where there is no text at all the message names all that it may be', async (t) => {
  for (const code of [1, null]) {
    const line = explainFailure(failure({ code }));
    t.match(line, /^Steam refused\. Check .*runs.*logged in.*app id/);
    t.notMatch(line, /“/, 'nothing is quoted');
  }
});

t.test('an old library gives no reason: whether Steam runs is what is known of it', async (t) => {
  const text = 'SteamAPI_InitSafe failed and gave no reason; Steam is';
  t.match(explainFailure(failure({ code: null, text: `${text} not running` })), /^Steam is not running \(/);
  t.match(
    explainFailure(failure({ code: null, text: `${text} running` })),
    /^Steam refused .*logged in.*app id/,
  );
});

t.test('a text that nobody knows is quoted, with what to look at', async (t) => {
  const line = explainFailure(failure({ code: 1, text: 'Something new' }));
  t.match(line, /^Steam refused \(“Something new”\)\. Check /);
});

t.test('every other stage names its reason, quotes its text, and says what to do', async (t) => {
  const text = 'undefined symbol: abc';
  const cases: readonly (readonly [Partial<SteamFailure>, RegExp, RegExp])[] = [
    [{ stage: 'library', library: null }, /libsteam_api was not found/, /HOTMIC_STEAM_LIBRARY/],
    [{ stage: 'library' }, /could not be loaded/, /\/game\/libsteam_api\.so/],
    [{ stage: 'symbols' }, /not a libsteam_api of SDK 1\.52 or newer/, /newer SDK/],
    [{ stage: 'interface' }, /no ISteamUser of this version/, /Update Steam/],
    [{ stage: 'dispatch' }, /something else in this process runs Steam's callbacks/, /Use one Steam binding/],
  ];
  for (const [change, reason, advice] of cases) {
    const line = explainFailure(failure({ code: null, text, ...change }));
    t.match(line, reason);
    t.match(line, advice);
    t.ok(line.includes(text), 'its text');
    t.notMatch(line, /\n|null|undefined(?! symbol)/);
  }
});

t.test('why the addon is missing, and what to do about it, comes from who looked for it', async (t) => {
  const text = 'Cannot load it for linux-x64: no build; expected `npm run addon`';
  const line = explainFailure(failure({ stage: 'addon', code: null, text, library: null }));
  t.match(line, /^the native addon/);
  t.ok(line.endsWith(text));
});

t.test(
  'a Steam that is in use already, or a path that is wrong, is not blamed on Steam or the platform',
  async (t) => {
    const already = 'is open in this process already';
    const appId = explainFailure(failure({ code: null, text: `Steam ${already}, for app id 480` }));
    t.match(appId, /^one process has one Steam.+for app id 480.+\. Open .*same app id/);
    const other = explainFailure(
      failure({ stage: 'library', code: null, text: `/a.so ${already}; close it` }),
    );
    t.match(other, /^another libsteam_api is in use.+\/a\.so.+\. Open that one/);
    const path = `the option library names ${LIBRARY}, which is not a file`;
    t.match(
      explainFailure(failure({ stage: 'library', code: null, text: path })),
      /“the option library names .+\. Check that .+ exists/,
    );
  },
);

t.test('where there is no text no empty quotes stand', async (t) => {
  for (const stage of ['library', 'symbols', 'interface', 'dispatch', 'init'] as const) {
    t.notMatch(explainFailure(failure({ stage, text: '' })), /“”|\(\)/);
  }
});

t.test('whatever Steam writes, the explanation is one bounded line', async (t) => {
  const line = explainFailure(failure({ text: `first\nsecond\r\n${'x'.repeat(5000)}` }));
  t.notMatch(line, /[\r\n]/);
  t.ok(line.length < 2000);
});

t.test(
  'SteamOpenError has the code, the stage, the failure, and the explanation for a message',
  async (t) => {
    const given = failure({ code: 2, text: 'Cannot create IPC pipe' });
    const error = new SteamOpenError(given);
    t.ok(error instanceof HotmicError);
    t.equal(error.code, 'ERR_HOTMIC_STEAM');
    t.equal(error.stage, 'init');
    t.equal(error.failure, given);
    t.equal(error.message, `Cannot open Steam: ${explainFailure(given)}`);
  },
);
