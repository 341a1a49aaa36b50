/** A short run of the relay's fuzzer. `make fuzz-relay` goes on from here. */

import t from 'tap';
import { loadCodec } from '../../wasm/load.js';
import { SEED, SeededRandom } from '../kit/random.js';
import { opusStreams } from './opus_mutator.js';
import { newRelayTally, RelayFuzzer } from './relay_fuzzer.js';

const INPUTS = 60_000;

t.test(
  `the relay survives ${INPUTS} hostile frames and messages, and forwards only what it may`,
  async (t) => {
    t.comment(`HOTMIC_SEED=${SEED}`);
    loadCodec();
    const tally = newRelayTally();
    const fuzzer = new RelayFuzzer(new SeededRandom(SEED), opusStreams(), tally);
    while (tally.inputs < INPUTS) fuzzer.step();
    t.comment(JSON.stringify(tally));
    t.ok(tally.forwarded > INPUTS / 100, 'some frames go out');
    t.ok(tally.taken > INPUTS / 20, 'some messages are taken');
    t.ok(tally.refused > INPUTS / 100, 'some are refused');
    t.ok(tally.failed > INPUTS / 100, 'some fail');
  },
);
