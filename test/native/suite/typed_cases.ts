/**
 * The typed layer's promises, tickets, sessions, recordings and decoders, as sentences that hold on any Steam.
 */

import { deepEqual, equal, notDeepEqual, ok, rejects, throws } from 'node:assert/strict';
import { nextSignal, settled } from './bench.js';
import type { Case } from './function_cases.js';

/** Node's timers, which a test without real time has instead of waiting. */
const soon = () => new Promise((resolve) => setImmediate(resolve));

export const TYPED_CASES: Readonly<Record<string, Case>> = {
  async 'a ticket for the Web API resolves when it is there, exactly as long as it is'(bench) {
    const ticket = await settled(bench, bench.steam.getAuthTicketForWebApi('hotmic'));
    ok(ticket.bytes.length > 32 && ticket.bytes.length < 2560);
    equal(ticket.hex.length, 2 * ticket.bytes.length);
    ok(/^[0-9a-f]+$/.test(ticket.hex));
    deepEqual(Uint8Array.from(Buffer.from(ticket.hex, 'hex')), Uint8Array.from(ticket.bytes));
  },

  async 'two tickets at a time come to who asked for them'(bench) {
    const [one, two] = await settled(
      bench,
      Promise.all([bench.steam.getAuthTicketForWebApi('a'), bench.steam.getAuthTicketForWebApi('b')]),
    );
    ok(one && two && one.handle !== two.handle);
    notDeepEqual([...one.bytes], [...two.bytes]);
  },

  async 'a ticket that Steam refuses rejects with its result'(bench) {
    bench.controls.answerNext({ kind: 'auth-ticket', result: 3 });
    await rejects(settled(bench, bench.steam.getAuthTicketForWebApi('hotmic')), {
      code: 'ERR_HOTMIC_STEAM_CALL',
      result: 3,
      message: /RESULT_NO_CONNECTION \(3\)/,
    });
  },

  async 'leaving the block cancels the ticket and ends the session begun with it'(bench) {
    const ticket = await settled(bench, bench.steam.getAuthSessionTicket());
    let endedBy = -1;
    const session = await settled(
      bench,
      bench.steam.beginAuthSession(ticket.bytes, bench.steamId, {
        onEnded: (response) => {
          endedBy = response;
        },
      }),
    );
    equal(session.steamId, bench.steamId);
    ok(!session.isOver);
    ticket[Symbol.dispose]();
    nextSignal(bench, 'validate_auth_ticket_response');
    equal(endedBy, 6, 'AUTH_TICKET_CANCELED');
    ok(session.isOver);
  },

  async 'a ticket for an address or a text is not good for a player'(bench) {
    for (const remote of [{ ip: '203.0.113.7', port: 27_015 }, { ip: '2001:db8::7' }, { text: 'server 7' }]) {
      const ticket = await settled(bench, bench.steam.getAuthSessionTicket(remote));
      await rejects(settled(bench, bench.steam.beginAuthSession(ticket.bytes, bench.steamId)), {
        code: 'ERR_HOTMIC_STEAM_CALL',
        message: /AUTH_TICKET_NETWORK_IDENTITY_FAILURE \(10\)/,
      });
    }
    await rejects(bench.steam.getAuthSessionTicket({ text: 'x'.repeat(32) }), { name: 'RangeError' });
    await rejects(bench.steam.getAuthSessionTicket({ ip: 'localhost' }), { name: 'TypeError' });
  },

  'the user data folder is one of this app'(bench) {
    ok(/[\\/]480[\\/]/.test(bench.steam.getUserDataFolder()));
  },

  async 'a player whom Steam does not vouch for rejects, and no session stays'(bench) {
    const ticket = await settled(bench, bench.steam.getAuthSessionTicket());
    bench.controls.answerNext({ kind: 'validation', response: 3 });
    await rejects(settled(bench, bench.steam.beginAuthSession(ticket.bytes, bench.steamId)), {
      code: 'ERR_HOTMIC_STEAM_CALL',
      message: /AUTH_SESSION_RESPONSE_VAC_BANNED \(3\)/,
    });
    const fresh = await settled(bench, bench.steam.getAuthSessionTicket());
    const session = await settled(bench, bench.steam.beginAuthSession(fresh.bytes, bench.steamId));
    session.end();
    session.end();
  },

  async 'bytes that are not a ticket reject at once'(bench) {
    await rejects(bench.steam.beginAuthSession(Uint8Array.of(1, 2), bench.steamId), {
      code: 'ERR_HOTMIC_STEAM_CALL',
      message: /BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET \(1\)/,
    });
  },

  async 'an encrypted app ticket comes as bytes'(bench) {
    const ticket = await settled(bench, bench.steam.requestEncryptedAppTicket('nonce'));
    deepEqual(ticket, bench.steam.user.getEncryptedAppTicket().buffer);
  },

  async 'a call that Steam loses rejects, and the next one is answered'(bench) {
    bench.controls.answerNext({ kind: 'call-failure' });
    await rejects(settled(bench, bench.steam.requestStoreAuthURL('https://shop.example')), {
      code: 'ERR_HOTMIC_STEAM_CALL',
      message: /IO failure/,
    });
    ok((await settled(bench, bench.steam.requestStoreAuthURL('https://shop.example'))).length > 0);
  },

  async 'a call that Steam does not accept rejects at once, and its signal says that it failed'(bench) {
    await rejects(bench.steam.requestStoreAuthURL(`https://shop.example/${'x'.repeat(600)}`), {
      code: 'ERR_HOTMIC_STEAM_CALL',
      message: /Steam did not accept the call/,
    });
    deepEqual(nextSignal(bench, 'store_auth_url_response'), { url: '' });
  },

  async 'the same call twice gives each its own answer'(bench) {
    const both = [bench.steam.getMarketEligibility(), bench.steam.getMarketEligibility()];
    const [one, two] = await settled(bench, Promise.all(both));
    deepEqual(one, two);
  },

  async 'the duration control is a promise, and a timer notice is no answer to it'(bench) {
    const asked = bench.steam.getDurationControl();
    const duration = await settled(bench, asked);
    equal(duration.notification, 0);
  },

  async 'an aborted call rejects with the reason, and leaves nothing behind'(bench) {
    const controller = new AbortController();
    const asked = bench.steam.getAuthTicketForWebApi('hotmic', { signal: controller.signal });
    controller.abort(new Error('the player went away'));
    await rejects(asked, /the player went away/);
    await rejects(bench.steam.getMarketEligibility({ signal: controller.signal }), /went away/);
  },

  async 'a recording gives its packets, and ends when Steam has no more'(bench) {
    const recorder = bench.steam.recordVoice({
      wait: async () => {
        bench.frame();
        await soon();
      },
    });
    throws(() => bench.steam.recordVoice(), { code: 'ERR_HOTMIC_CAPTURE' }, 'one at a time');
    bench.speak(5);
    const packets: Uint8Array[] = [];
    for await (const packet of recorder) {
      packets.push(packet);
      if (packets.length === 3) recorder.stop();
    }
    ok(packets.length >= 3);
    equal(bench.steam.user.getVoice().result, 2, 'NOT_RECORDING');
  },

  async 'who breaks out of a recording leaves no tail to the next'(bench) {
    const wait = async () => {
      bench.frame();
      await soon();
    };
    const recorder = bench.steam.recordVoice({ wait });
    bench.speak(4);
    for await (const _packet of recorder) break;
    equal(bench.steam.user.getVoice().result, 2, 'NOT_RECORDING');
  },

  async 'a speaker decoder gives PCM at its rate, and says by which result it refuses'(bench) {
    const wait = async () => {
      bench.frame();
      await soon();
    };
    const decoder = bench.steam.createSpeakerDecoder({ sampleRateHz: 48_000 });
    const recorder = bench.steam.recordVoice({ wait });
    bench.speak(3);
    let samples = 0;
    for await (const packet of recorder) {
      const decoded = decoder.decode(packet);
      if (decoded.kind === 'pcm') {
        equal(decoded.sampleRateHz, 48_000);
        samples += decoded.pcm.length;
      }
      if (samples > 0) recorder.stop();
    }
    ok(samples > 0);
    deepEqual(decoder.decode(Uint8Array.of(1, 2, 3)), { kind: 'refused', result: 5 }, 'DATA_CORRUPTED');
  },

  async 'closing rejects what waits, ends what lives, and closes once'(bench) {
    const waiting = bench.steam.getAuthTicketForWebApi('hotmic');
    const noted = rejects(waiting, { code: 'ERR_HOTMIC_STEAM_CLOSED' });
    bench.steam.close();
    bench.steam.close();
    await noted;
    const { user } = bench.steam;
    throws(() => user.getSteamID(), { code: 'ERR_HOTMIC_STEAM_CLOSED' });
    throws(() => user.getVoiceOptimalSampleRate(), { code: 'ERR_HOTMIC_STEAM_CLOSED' });
    throws(() => bench.steam.getUserDataFolder(), { code: 'ERR_HOTMIC_STEAM_CLOSED' });
    equal(user.getVoice().result, 1, 'NOT_INITIALIZED');
    equal(user.getAvailableVoice().result, 1);
    equal(user.decompressVoice(new Uint8Array(16), 24_000).result, 1);
    user.startVoiceRecording();
    user.stopVoiceRecording();
    await rejects(bench.steam.getMarketEligibility(), { code: 'ERR_HOTMIC_STEAM_CLOSED' });
    equal(bench.steam.runCallbacks(), 0);
  },
};
