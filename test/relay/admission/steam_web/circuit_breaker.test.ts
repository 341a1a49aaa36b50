/** The breaker: when it opens, who probes, when it closes. Time and randomness are arguments. */

import fc from 'fast-check';
import t from 'tap';
import { type BreakerPass, CircuitBreaker } from '../../../../relay/admission/steam_web/circuit_breaker.js';
import { SEED } from '../../../kit/random.js';

const BOUNDS = { failures: 3, coolDownMs: 1000, maxCoolDownMs: 4000 };
const FAILED = { kind: 'failed', cause: 'down' } as const;
const SUCCEEDED = { kind: 'succeeded' } as const;

function passed(breaker: CircuitBreaker<string>, now: number): BreakerPass {
  const pass = breaker.pass(now);
  if (pass.kind === 'open') throw new Error(`open at ${now}, for ${pass.cause}`);
  return pass;
}

/** Random 1 would be the longest pause; with 0.999… it rounds to it. */
function opened(random = 0.999_999_999): CircuitBreaker<string> {
  const breaker = new CircuitBreaker<string>(BOUNDS, () => random);
  for (let failure = 0; failure < 3; failure++) breaker.settle(passed(breaker, 0), FAILED, 0);
  return breaker;
}

t.test('failures in a row open it, and a success between them does not let them add up', async (t) => {
  const breaker = new CircuitBreaker<string>(BOUNDS, () => 0);
  for (const outcome of [FAILED, FAILED, SUCCEEDED, FAILED, FAILED, { kind: 'unknown' } as const]) {
    breaker.settle(passed(breaker, 0), outcome, 0);
  }
  t.equal(breaker.opened, 0);
  breaker.settle(passed(breaker, 0), FAILED, 0);
  t.same(breaker.pass(0), { kind: 'open', cause: 'down' });
  t.equal(breaker.opened, 1);
});

t.test('it cools down for a random time between half and all of the bound', async (t) => {
  t.equal(opened(0).waitMs(0), 500);
  t.ok(opened().waitMs(0) > 999.9);
  t.equal(opened().pass(999).kind, 'open');
});

t.test(
  'one probe passes; its outcome closes the breaker, or opens it for twice as long, up to a bound',
  async (t) => {
    const breaker = opened();
    let now = 0;
    for (const wait of [2000, 4000, 4000]) {
      now += 4000;
      const probe = passed(breaker, now);
      t.equal(breaker.pass(now).kind, 'open', 'nobody else meanwhile');
      breaker.settle(probe, FAILED, now);
      t.ok(Math.abs(breaker.waitMs(now) - wait) < 0.1, `${wait} ms`);
    }
    now += 4000;
    breaker.settle(passed(breaker, now), SUCCEEDED, now);
    for (let count = 0; count < 100; count++) passed(breaker, now);
    t.equal(breaker.waitMs(now), 0);
    for (let failure = 0; failure < 3; failure++) breaker.settle(passed(breaker, now), FAILED, now);
    t.ok(breaker.waitMs(now) < 1001, 'and it is as patient as at first');
  },
);

t.test('after an aborted probe the next question is the probe', async (t) => {
  const breaker = opened();
  breaker.settle(passed(breaker, 1000), { kind: 'unknown' }, 1500);
  passed(breaker, 1500);
  t.equal(breaker.pass(1500).kind, 'open');
});

t.test('questions from before it opened change nothing, whatever their outcome', async (t) => {
  const breaker = new CircuitBreaker<string>(BOUNDS, () => 0);
  const passes = Array.from({ length: 33 }, () => passed(breaker, 0));
  for (const pass of passes.slice(0, 32)) breaker.settle(pass, FAILED, 0);
  t.equal(breaker.opened, 1, '32 failures at once are one opening');
  t.equal(breaker.waitMs(0), 500);
  breaker.settle(passes[32]!, SUCCEEDED, 0);
  t.equal(breaker.pass(0).kind, 'open');
});

t.test('one conclusive failure opens it, for as long as Retry-After says', async (t) => {
  const breaker = new CircuitBreaker<string>(BOUNDS, () => 0);
  breaker.settle(passed(breaker, 0), { kind: 'tripped', cause: 'limit', forMs: 60_000 }, 0);
  t.same(breaker.pass(59_999), { kind: 'open', cause: 'limit' });
  passed(breaker, 60_000);
});

t.test(
  'whatever happens, at most one probe is under way, and the breaker always closes again in time',
  async (t) => {
    const step = fc.record({
      wait: fc.nat(3000),
      outcome: fc.constantFrom(
        FAILED,
        SUCCEEDED,
        { kind: 'unknown' } as const,
        {
          kind: 'tripped',
          cause: 'limit',
          forMs: 2500,
        } as const,
      ),
      isSettledFirst: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const breaker = new CircuitBreaker<string>(BOUNDS, () => 0.5);
        const passes: BreakerPass[] = [];
        let now = 0;
        for (const { wait, outcome, isSettledFirst } of steps) {
          now += wait;
          const pass = breaker.pass(now);
          if (pass.kind === 'pass') passes.push(pass);
          const settled = isSettledFirst ? passes.shift() : passes.pop();
          if (settled) breaker.settle(settled, outcome, now);
          if (!(breaker.waitMs(now) <= 4000)) return false;
        }
        for (const pass of passes) breaker.settle(pass, { kind: 'unknown' }, now);
        return breaker.pass(now + 4000).kind === 'pass';
      }),
      { seed: SEED, numRuns: 2000 },
    );
    t.pass();
  },
);
