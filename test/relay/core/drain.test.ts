import t from 'tap';
import { Drain } from '../../../relay/core/drain.js';
import type { Turn } from '../../../relay/core/turn.js';
import type { RelayMessageToWrite } from '../../../voice/control.js';

t.test('the announcement never has more time than was asked for, whatever the clock shows', async (t) => {
  for (let now = 0.1; now < 1e9; now = now * 1.37 + 0.123) {
    const said: RelayMessageToWrite[] = [];
    const turn = { now, tell: (_: unknown, message: RelayMessageToWrite) => said.push(message) };
    new Drain().begin(86_400_000, null, [1], turn as unknown as Turn);
    t.same(said, [{ type: 'draining', withinMs: 86_400_000 }], `at ${now}`);
  }
});
