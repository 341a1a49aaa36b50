/** The files in deploy/ agree with the metrics, with the options of the command, and with systemd. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { ENVIRONMENT, NODE_FLAGS } from '../../bench/load/relay_under_load.js';
import { runCli } from '../kit/cli.js';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly refId: string; readonly expr: string }[];
}
const read = (name: string) => readFileSync(`deploy/${name}`, 'utf8');
const METRIC = /\b(?:hotmic|process|nodejs)_[a-z0-9_]+/g;
/** The names in the tables of relay/operations/metrics.ts. */
const known = new Set(
  readFileSync('relay/operations/metrics.ts', 'utf8').match(
    /(?<=')(?:hotmic|process|nodejs)_[a-z0-9_]+(?=')/g,
  ),
);

t.test('the dashboard uses only existing metrics, and all of the relay’s own', async (t) => {
  const text = read('grafana-dashboard.json');
  const { panels } = JSON.parse(text) as { panels: Panel[] };
  t.ok(known.size > 20);
  const asked = new Set(
    panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(METRIC) ?? [])),
  );
  for (const metric of asked) t.ok(known.has(metric), `${metric} is in relay/operations/metrics.ts`);
  for (const metric of known) if (metric.startsWith('hotmic_')) t.ok(asked.has(metric), `${metric} is shown`);
});

t.test('its panels have unique ids and titles, and do not overlap', async (t) => {
  const { panels } = JSON.parse(read('grafana-dashboard.json')) as { panels: Panel[] };
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  t.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
  const taken = new Set<string>();
  for (const { title, gridPos, targets } of panels) {
    t.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
    t.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        t.notOk(taken.has(`${x} ${y}`), `${title} covers nothing`);
        taken.add(`${x} ${y}`);
      }
    }
  }
});

t.test('the alarms use only existing metrics', async (t) => {
  const expressions = [...read('prometheus-alerts.yml').matchAll(/^ +expr: (.*)$/gm)].map(
    ([, text]) => text ?? '',
  );
  t.ok(expressions.length >= 5);
  for (const expression of expressions) {
    for (const metric of expression.match(METRIC) ?? []) t.ok(known.has(metric), metric);
  }
});

t.test('the page for operators lists every alarm once, and no other', async (t) => {
  const alarms = [...read('prometheus-alerts.yml').matchAll(/alert: (\w+)$/gm)].map(([, name]) => name);
  const rows = [...readFileSync('docs/operating.md', 'utf8').matchAll(/^\| `(Hotmic\w+)` \|/gm)];
  t.same(
    rows.map(([, name]) => name),
    alarms,
  );
});

t.test('an alarm fires when too few open files are allowed for connections', async (t) => {
  t.match(read('prometheus-alerts.yml'), 'hotmic_tcp_refusals_total{reason="connections-full"}');
});

t.test('unit and image use only existing options, and allow more time than the drain', async (t) => {
  const { stdout: help } = await runCli(t, ['relay', '--help']);
  const unit = read('hotmic-relay.service');
  const image = read('Dockerfile');
  const started = /^ExecStart=.* relay (.*)$/m.exec(unit)![1]!;
  const cmd = /^CMD (.*)$/m.exec(image)![1]!;
  for (const [option] of [...started.matchAll(/--[a-z-]+/g), ...cmd.matchAll(/--[a-z-]+/g)]) {
    t.match(help, new RegExp(`${option}\\b`));
  }
  const drain = Number(/--drain (\d+)/.exec(started)![1]);
  t.ok(Number(/^TimeoutStopSec=(\d+)/m.exec(unit)![1]) > drain);
  t.match(image, /^USER node$/m);
  for (const [, tag] of image.matchAll(/^FROM (\S+)/gm)) t.match(tag, /^node:24\.\d+\.\d+-trixie-slim$/);
});

const verify = spawnSync('systemd-analyze', ['verify', 'deploy/hotmic-relay.service'], { encoding: 'utf8' });
const skip = verify.error ? 'no systemd-analyze here (Debian package systemd)' : false;

t.test('systemd finds no fault with the unit', { skip }, async (t) => {
  // Node may be somewhere else on this machine, which is not a fault.
  const isFault = (line: string) => line && !/Command \/usr\/bin\/node is not executable/.test(line);
  t.same(verify.stderr.split('\n').filter(isFault), [], `status ${verify.status}`);
});

t.test('image and unit start Node with the options of the benchmark', async (t) => {
  for (const flag of NODE_FLAGS) {
    t.match(read('Dockerfile'), `ENTRYPOINT ["node", "${flag}", `);
    t.match(read('hotmic-relay.service'), `ExecStart=/usr/bin/node ${flag} `);
  }
  for (const [name, value] of Object.entries(ENVIRONMENT)) {
    t.match(read('Dockerfile'), `ENV ${name}=${value}\n`);
    t.match(read('hotmic-relay.service'), `Environment=${name}=${value}\n`);
  }
});
