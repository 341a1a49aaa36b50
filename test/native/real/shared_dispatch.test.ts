/** Several Steams on one thread share its callbacks: each gets the results of its own calls, and every broadcast. */

import t, { type Test } from 'tap';
import { openSteam } from '../../../native/open_steam.js';
import type { Steam } from '../../../native/steam.js';
import { type AddonSteam, type AddonSteams, addonSteams, openSteam as openUnder } from './addon_steams.js';

const got = await addonSteams();
const skip = typeof got === 'string' ? got : false;
const steams = got as AddonSteams;
t.teardown(() => typeof got !== 'string' && got.remove());

/** What the test at hand has opened. */
const opened: { close(): void }[] = [];

/** On the newest stand-in and on the real library. */
function each(sentence: string, test: (t: Test, under: AddonSteam) => Promise<void>) {
  t.test(sentence, { skip }, async (t) => {
    for (const under of [steams.newest, steams.real]) {
      if (under === null) continue;
      await t.test(under.name, async (t) => {
        under.controls.reset();
        await test(t, under);
        for (const steam of opened.splice(0)) steam.close();
        under.controls.reset();
      });
    }
  });
}

function open({ library }: AddonSteam): Steam {
  const steam = openSteam({ embedded: 'never', library, appId: 480, frameMs: 0 });
  opened.push(steam);
  return steam;
}

/** Lets promises that are settled tell it. */
const soon = () => new Promise((resolve) => setImmediate(resolve));

each('each of two Steams hears all ten of ten broadcasts, whoever runs callbacks', async (t, under) => {
  const [ada, ben] = [open(under), open(under)];
  const heard = { ada: 0, ben: 0 };
  ada.user.on('licenses_updated', () => {
    heard.ada += 1;
  });
  ben.user.on('licenses_updated', () => {
    heard.ben += 1;
  });
  for (let n = 0; n < 10; n++) {
    under.controls.setLicense(1000 + n, 'owned');
    (n % 2 === 0 ? ada : ben).runCallbacks();
  }
  ada.runCallbacks();
  ben.runCallbacks();
  t.same(heard, { ada: 10, ben: 10 });
});

each('the promises of both are settled, each by its own answer', async (t, under) => {
  const [ada, ben] = [open(under), open(under)];
  const urls: string[] = [];
  const asked = [
    ada.requestStoreAuthURL('https://shop.example/ada'),
    ben.requestStoreAuthURL('https://shop.example/ben'),
  ];
  for (const promise of asked) void promise.then((url) => urls.push(url));
  const tickets = [ada.getAuthTicketForWebApi('a'), ben.getAuthTicketForWebApi('b')];
  const given: number[] = [];
  for (const promise of tickets) void promise.then(({ handle }) => given.push(handle));
  ada.runCallbacks();
  ben.runCallbacks();
  await soon();
  t.same(urls.map((url) => url.slice(-3)).sort(), ['ada', 'ben']);
  t.equal(new Set(given).size, 2);
});

each('a call result is a signal of the Steam that made the call, and of no other', async (t, under) => {
  const [ada, ben] = [open(under), open(under)];
  const heard: string[] = [];
  ada.user.on('market_eligibility_response', () => heard.push('ada'));
  ben.user.on('market_eligibility_response', () => heard.push('ben'));
  ben.user.getMarketEligibility();
  ada.runCallbacks();
  t.same(heard, [], 'it waits for its owner');
  ben.runCallbacks();
  t.same(heard, ['ben']);
});

each('what one listener changes in a broadcast does not reach the other Steam', async (t, under) => {
  const [ada, ben] = [open(under), open(under)];
  const tickets: Uint8Array[] = [];
  for (const steam of [ada, ben]) {
    steam.user.on('get_ticket_for_web_api', ({ ticket_buffer }) => tickets.push(ticket_buffer));
  }
  ada.user.getAuthTicketForWebApi('hotmic');
  ada.runCallbacks();
  tickets[0]!.fill(0);
  ben.runCallbacks();
  t.equal(tickets.length, 2);
  t.ok(tickets[1]!.some((byte) => byte !== 0));
});

each('a Steam that is closed keeps nothing from the other', async (t, under) => {
  const [ada, ben] = [open(under), open(under)];
  let heard = 0;
  ben.user.on('licenses_updated', () => {
    heard += 1;
  });
  const asked = ben.getMarketEligibility();
  ada.user.getMarketEligibility();
  under.controls.setLicense(1000, 'owned');
  ada.runCallbacks();
  ada.close();
  ben.runCallbacks();
  t.equal((await asked).is_allowed, true);
  t.equal(heard, 1);
});

each(
  'a Steam that never runs callbacks keeps a bounded number, and counts those it lost',
  async (t, under) => {
    const [ada, ben] = [openUnder(under), openUnder(under)];
    opened.push(ada, ben);
    for (let n = 0; n < 5000; n++) {
      under.controls.loseConnection(n);
      if (n % 500 === 499) ada.runCallbacks();
    }
    ada.runCallbacks();
    t.equal(ada.lostCallbacks, 0, 'a Steam that runs its callbacks loses nothing');
    const events = [ben.runCallbacks(), ben.runCallbacks(), ben.runCallbacks(), ben.runCallbacks()];
    t.equal(ben.lostCallbacks, 5000 - 2048);
    t.same(events[0]![0], { signal: 'ipc_failure', keys: { type: 0 }, call: 0n });
    const results = events
      .flat()
      .map((event) => (event.signal === 'steam_server_disconnected' ? event.keys.result : null))
      .filter((result) => result !== null);
    t.same(
      results,
      Array.from({ length: 2048 }, (_, n) => 5000 - 2048 + n),
      'the newest, in their order',
    );
  },
);
