/** Random answers: each becomes a verdict, none an error, and only a person whom Steam named is admitted. */

import fc from 'fast-check';
import t from 'tap';
import { readSteamAnswer } from '../../../../relay/admission/steam_web/answer.js';
import { SEED } from '../../../kit/random.js';
import { OWNER, PLAYER } from './fake_web.js';

t.comment(`seed ${SEED}`);

const id = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(PLAYER, OWNER) },
  fc.constantFrom('0', '', '76561197960265728', '90071992547409921'),
  fc.bigInt({ min: 0n, max: 2n ** 65n }).map(String),
  fc.jsonValue(),
);
const flag = fc.oneof({ weight: 9, arbitrary: fc.boolean() }, fc.jsonValue());
const error = fc.oneof(fc.record({ errorcode: fc.oneof(fc.integer(), fc.jsonValue()) }), fc.jsonValue());
const params = fc.record(
  {
    result: fc.oneof({ weight: 9, arbitrary: fc.constant('OK') }, fc.string(), fc.jsonValue()),
    steamid: id,
    ownersteamid: id,
    vacbanned: flag,
    publisherbanned: flag,
    error,
  },
  { requiredKeys: [] },
);
const shaped = fc
  .record(
    { params: fc.oneof({ weight: 6, arbitrary: params }, fc.jsonValue()), error },
    { requiredKeys: ['params'] },
  )
  .map((response) => JSON.stringify({ response }));
const body = fc.oneof(
  { weight: 6, arbitrary: shaped },
  fc.json(),
  fc.string(),
  fc.uint8Array({ maxLength: 500 }),
);
const status = fc.oneof({ weight: 4, arbitrary: fc.constant(200) }, fc.integer({ min: 200, max: 599 }));

/** The verdicts allowed with such a status; null for a status without any. */
function responseOf(content: string | Uint8Array<ArrayBuffer>, code: number): Response {
  return new Response([204, 205, 304].includes(code) ? null : content, { status: code });
}

t.test('every answer becomes one of the closed set', async (t) => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(body, status, async (content, code) => {
      const answer = await readSteamAnswer(responseOf(content as string, code));
      const name = answer.kind === 'player' ? 'player' : answer.reason;
      seen.set(name, (seen.get(name) ?? 0) + 1);
      if (answer.kind !== 'player') return true;
      const { response } = JSON.parse(content as string) as {
        response: { params: Record<string, unknown> };
      };
      const person = /^7656119\d{10}$/;
      return (
        code === 200 &&
        response.params.result === 'OK' &&
        response.params.steamid === answer.steamId &&
        person.test(answer.steamId) &&
        response.params.vacbanned === answer.vacBanned &&
        response.params.publisherbanned === answer.publisherBanned &&
        (answer.ownerSteamId === null || person.test(answer.ownerSteamId))
      );
    }),
    { seed: SEED, numRuns: 6000 },
  );
  for (const name of ['player', 'no-person', 'steam-refused', 'answer-strange', 'steam-down']) {
    t.ok(seen.get(name), `${name}: ${seen.get(name) ?? 0}`);
  }
});
