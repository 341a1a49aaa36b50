/** The list in a welcome comes in pages, none of them longer than a message may be. */

import t from 'tap';
import { bytesAtMost, type Listed, PAGE_BYTES, pagesOf } from '../../../../relay/core/joining/pages.js';
import {
  MAX_RELAY_MESSAGE_BYTES,
  type RelayMessageToWrite,
  readRelayMessage,
  writeMessage,
} from '../../../../voice/control.js';
import { SeededRandom } from '../../../kit/random.js';
import { Bench, bytesOf, helloOf, tellsOf } from '../../kit.js';

/** No character takes more bytes of UTF-8 for its place in the 64. */
const LONGEST_NAME = '𝕏'.repeat(64);

t.test('the largest lobby with the longest names is welcomed in pages within the limit', async (t) => {
  const bench = new Bench({ participantsPerLobby: 500, channelsPerLobby: 127 });
  const channel = (number: number) => `${number}`.padStart(3, '0') + LONGEST_NAME.slice(6);
  bench.admin({
    kind: 'open-lobby',
    lobby: LONGEST_NAME,
    capacity: 500,
    channels: Array.from({ length: 127 }, (_, number) => channel(number)),
  });
  let last = bench.join(1, LONGEST_NAME);
  const channels = Array.from({ length: 16 }, (_, number) => channel(110 + number));
  for (let account = 2; account <= 500; account++) {
    bench.connect(account);
    last = bench.text(account, { ...helloOf(account, LONGEST_NAME), name: LONGEST_NAME });
    bench.text(account, { type: 'channels', channels });
  }
  for (let account = 501; account <= 504; account++) {
    last = bench.admit(account, { moderator: true, lobby: LONGEST_NAME });
  }
  const messages = tellsOf(last).filter(([connections]) => connections.includes(504));
  const sizes = messages.map(([, message]) => bytesOf(writeMessage(message)).length);
  t.ok(sizes.length > 6, `${sizes.length} messages`);
  t.ok(
    sizes.every((bytes) => bytes <= MAX_RELAY_MESSAGE_BYTES),
    `the longest has ${Math.max(...sizes)} bytes`,
  );
  const listed = messages.flatMap(([, message]) =>
    message.type === 'welcome' || message.type === 'participants' ? message.participants : [],
  );
  t.equal(new Set(listed.map(({ slot }) => slot)).size, 503, 'everyone else, once');
  t.match(messages[0]![1], { type: 'welcome', more: 503 - pageOf(messages[0]![1]).length });
  t.notOk('more' in messages.at(-1)![1], 'nothing follows the last page');
  for (const [, message] of messages)
    t.notMatch(readRelayMessage(writeMessage(message)), { kind: 'malformed' });
});

t.test('a small lobby has one page', async (t) => {
  const bench = new Bench();
  for (let account = 1; account <= 63; account++) bench.join(account);
  const messages = tellsOf(bench.join(64)).filter(([connections]) => connections.includes(64));
  t.equal(messages.length, 1);
  t.notOk('more' in messages[0]![1]);
  t.same(pagesOf([]), [[]], 'also when nobody else is there');
});

t.test('a page is as full as its bytes allow, and no fuller (seed 7)', async (t) => {
  const random = new SeededRandom(7);
  const some = (alphabet: readonly string[]) =>
    Array.from({ length: 1 + random.below(64) }, () => alphabet[random.below(alphabet.length)]).join('');
  const listed = Array.from({ length: 3000 }, (): Listed => {
    const flag = <Name extends string>(name: Name) => (random.below(2) === 0 ? {} : { [name]: true });
    return {
      slot: random.below(65_536),
      steamId: '18446744073709551615',
      name: some(['a', '"', '\\', 'é', '語', '𝕏', '\u2028']).replace(/\p{Cs}$/u, ''),
      channels: Array.from({ length: random.below(17) }, () => 1 + random.below(127)),
      ...flag('muted'),
      ...flag('deafened'),
      ...flag('away'),
      ...flag('priority'),
      ...flag('moderator'),
      ...flag('guest'),
      ...flag('spectator'),
      ...(random.below(2) === 0 && { recordingSince: Number.MAX_SAFE_INTEGER }),
      speaking: random.below(2) === 0,
    };
  });
  const lengthOf = (one: Listed) => bytesOf(JSON.stringify(one)).length + 1;
  t.ok(listed.every((one) => bytesAtMost(one) >= lengthOf(one)));
  const pages = pagesOf(listed);
  t.same(pages.flat(), listed);
  for (const [at, page] of pages.entries()) {
    const bytes = page.reduce((sum, one) => sum + bytesAtMost(one), 0);
    const next = pages[at + 1]?.[0];
    t.ok(bytes <= PAGE_BYTES && page.length > 0);
    if (next) t.ok(bytes + bytesAtMost(next) > PAGE_BYTES);
  }
});

function pageOf(message: RelayMessageToWrite): readonly Listed[] {
  return message.type === 'welcome' || message.type === 'participants' ? message.participants : [];
}
