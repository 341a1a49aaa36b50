/** Redirects of a draining relay: to the joined host or an allowed one, never out of TLS or with a password. */

import t from 'tap';
import { Redirects } from '../../../../client/session/connecting/redirects.js';

const joined = new URL('wss://relay.example:7800/voice');

function verdict(goTo: string, hosts: readonly string[] = [], from = joined): string {
  const judged = new Redirects(joined, hosts).judge(goTo, from, 0);
  return judged instanceof URL ? judged.href : judged;
}

t.test('only the host that was joined is allowed, on any port and path', async (t) => {
  t.equal(verdict('wss://relay.example:7801/'), 'wss://relay.example:7801/');
  t.equal(verdict('wss://RELAY.example/x'), 'wss://relay.example/x');
  for (const other of [
    'wss://other.example/',
    'wss://relay.example.evil.example/',
    'wss://evil-relay.example/',
    'wss://sub.relay.example/',
    'wss://relay.example./',
    'wss://127.0.0.1/',
  ]) {
    t.equal(verdict(other), 'host-not-allowed', other);
  }
});

t.test('redirectHosts allows other hosts, on any port or on one', async (t) => {
  const hosts = ['Other.example', 'third.example:443', '[::1]:7800', 'bücher.example'];
  t.equal(verdict('wss://other.example:9/', hosts), 'wss://other.example:9/');
  t.equal(verdict('wss://third.example/', hosts), 'wss://third.example/');
  t.equal(verdict('wss://third.example:444/', hosts), 'host-not-allowed');
  t.equal(verdict('wss://[::1]:7800/', hosts), 'wss://[::1]:7800/');
  t.equal(verdict('wss://[::1]:7801/', hosts), 'host-not-allowed');
  t.equal(verdict('wss://xn--bcher-kva.example/', hosts), 'wss://xn--bcher-kva.example/');
});

t.test(
  'a redirect from TLS to plain, to something other than a relay, or with a password is refused',
  async (t) => {
    t.equal(verdict('ws://relay.example/'), 'insecure');
    t.equal(verdict('ws://relay.example/', [], new URL('ws://relay.example/')), 'ws://relay.example/');
    for (const odd of ['https://relay.example/', 'den', '', 'wss://relay.example/#x', 'file:///etc/passwd']) {
      t.equal(verdict(odd), 'not-a-relay-url', odd);
    }
    for (const secret of [
      'wss://ada:secret@relay.example/',
      'wss://ada@relay.example/',
      'wss://:x@relay.example/',
    ]) {
      t.equal(verdict(secret), 'credentials-in-url', secret);
    }
  },
);

t.test('five redirects in a row are followed; after a minute a new row begins', async (t) => {
  const redirects = new Redirects(joined);
  let now = 0;
  for (let hop = 0; hop < 5; hop += 1) {
    t.ok(redirects.judge('wss://relay.example/', joined, now) instanceof URL);
    redirects.followed(now);
    now += 60_000;
  }
  t.equal(redirects.judge('wss://relay.example/', joined, now), 'too-many');
  t.ok(redirects.judge('wss://relay.example/', joined, now + 1) instanceof URL);
  t.match(redirects.counts(), { followed: 5, refused: { 'too-many': 1, insecure: 0 } });
});

t.test('a redirectHosts entry that is not a host throws', async (t) => {
  for (const host of [
    '',
    'wss://relay.example',
    'a/b',
    'a@b',
    'a:99999',
    'a:b',
    '*.example^',
    'a b',
    7 as never,
  ]) {
    t.throws(
      () => new Redirects(joined, [host]),
      { name: 'RangeError', message: /redirectHosts contains/ },
      String(host),
    );
  }
  t.throws(() => new Redirects(joined, new Array(257).fill('a.example')), { message: /257 redirectHosts/ });
});
