/**
 * deploy/compose.yaml with a real Docker, started as docs/operating.md says, from the packed npm package: is everything healthy, is
 * the relay scraped, do the alarms and the dashboard's queries work, who can reach what, does the relay drain? Linux, as root.
 *
 * No registry of images is asked. What stands for them: for Node's image the tree of try_dockerfile.ts; for Prometheus that of Debian 13,
 * which is older than the one in the file; for Grafana a server that checks what it was given (grafana_stand_in.ts). So it
 * does not show that those images exist, or that Grafana shows the dashboard.
 */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { baseImage, reach } from './base_image.js';
import { ENGINE, Engine, makeEngine } from './engine.js';

const GAME = join(ENGINE, 'srv/game');
/** Longer than any step takes on a busy machine, in ms. */
const PATIENCE_MS = 180_000;

let failures = 0;
function check(what: string, is: boolean, found: unknown = ''): void {
  console.log(`${is ? 'ok' : 'FAILED'}: ${what}${is ? '' : `: ${JSON.stringify(found)}`}`);
  if (!is) failures += 1;
}

/** Asks until `good` accepts the answer, and returns the last one. */
async function until<T>(ask: () => T | Promise<T>, good: (answer: T) => boolean): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (good(answer) || performance.now() > end) return answer;
    await sleep(500);
  }
}

const image = readFileSync('deploy/Dockerfile', 'utf8');
const [, node] = /^FROM (\S+)/m.exec(image)!;
const compose = parse(readFileSync('deploy/compose.yaml', 'utf8'), { merge: true });
makeEngine(node!);

// As in a game's folder: the package and what it depends on.
rmSync(GAME, { recursive: true, force: true });
mkdirSync(GAME, { recursive: true });
const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', GAME];
const tarball = execFileSync('npm', pack, { encoding: 'utf8' }).trim();
const npm = `cd /srv/game && npm init -y >/dev/null && npm install --silent --no-audit --no-fund --ignore-scripts --omit=optional ./${tarball}`;
const network = Object.entries(reach).map(([name, value]) => `${name}=${value}`);
const PATH = 'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
execFileSync('chroot', [ENGINE, 'env', '-i', PATH, 'HOME=/root', ...network, 'sh', '-c', npm], {
  stdio: 'inherit',
});

// The stand-ins' build folder, and what the run changes about the compose file: how the build reaches npm, and fewer open files if
// this machine permits no more.
const standIns = join(ENGINE, 'srv/stand_ins');
rmSync(standIns, { recursive: true, force: true });
mkdirSync(standIns, { recursive: true });
copyFileSync(resolve('dist/test/deploy/grafana_stand_in.js'), join(standIns, 'grafana.mjs'));
copyFileSync(join(ENGINE, 'usr/bin/prometheus'), join(standIns, 'prometheus'));
copyFileSync(join(ENGINE, 'usr/bin/busybox'), join(standIns, 'busybox'));
writeFileSync(
  join(standIns, 'prometheus.Dockerfile'),
  `FROM ${node}
COPY prometheus busybox /bin/
RUN ln -s busybox /bin/wget && install -d -o nobody -g nogroup /prometheus /etc/prometheus
USER nobody
ENTRYPOINT ["/bin/prometheus"]
`,
);
writeFileSync(
  join(standIns, 'grafana.Dockerfile'),
  `FROM ${node}
COPY busybox /bin/
COPY grafana.mjs /
RUN ln -s busybox /bin/wget && install -d -o 472 /var/lib/grafana /etc/grafana/provisioning/datasources /etc/grafana/provisioning/dashboards
USER 472
ENTRYPOINT ["node", "/grafana.mjs"]
`,
);
const hard = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }));
const asked = compose.services.relay.ulimits.nofile.hard as number;
const files = Math.min(hard, asked);
if (files < asked)
  console.log(`-- ${asked} open files are more than this machine permits: the relay gets ${files}`);
const args = Object.fromEntries(Object.entries(reach).filter(([name]) => /proxy/i.test(name)));
writeFileSync(
  join(ENGINE, 'srv/try.yaml'),
  JSON.stringify({
    services: {
      relay: { build: { network: 'host', args }, ulimits: { nofile: { soft: files, hard: files } } },
    },
  }),
);

const COMMANDS = docsCommands();
/** The docs' second command, with what the run changes. */
const settings = COMMANDS[1]!.replace(/(COMPOSE_FILE=\S+)/, '$1:/srv/try.yaml');

/** The commands of docs/operating.md, from nothing to a dashboard. */
function docsCommands(): string[] {
  const [, block = ''] =
    /three commands[\s\S]*?\n\n((?: {4}.*\n)+)/.exec(readFileSync('docs/operating.md', 'utf8')) ?? [];
  const commands = block
    .replace(/ *\\\n\s*/g, ' ')
    .trim()
    .split(/\n\s*/);
  if (commands.length !== 3) throw new Error(`docs/operating.md has ${commands.length} commands, expected 3`);
  return commands;
}

async function build(): Promise<void> {
  const engine = await Engine.start('of this machine');
  try {
    const changes = ['NODE_EXTRA_CA_CERTS'].flatMap((name) =>
      reach[name] ? [`ENV ${name}=/etc/ssl/certs/ca-certificates.crt`] : [],
    );
    engine.importTree(baseImage(node!), node!, ['CMD ["node"]', ...changes]);
    for (const name of ['prometheus', 'grafana']) {
      const tag = compose.services[name].image;
      engine.out(`docker build --network=none -q -f ${name}.Dockerfile -t ${tag} .`, '/srv/stand_ins');
      console.log(`-- ${tag}: a stand-in`);
    }
    engine.out(COMMANDS[0]!, '/srv/game');
    console.log(engine.out(`${settings}; docker compose build 2>&1 | tail -n 12`, '/srv/game'));
  } finally {
    await engine.stop();
  }
}

async function start(engine: Engine): Promise<void> {
  const up = `${settings}; ${COMMANDS[2]}`;
  console.log(`-- ${up}`);
  const { status, stdout, stderr } = engine.run(up, '/srv/game');
  check('docker compose up ends with 0', status === 0, stdout + stderr);
  const states = ask(engine, `docker compose ps --format '{{.Service}} {{.State}} {{.Health}}'`)
    .trim()
    .split('\n');
  const healthy = ['grafana', 'prometheus', 'relay'].map((name) => `${name} running healthy`);
  check('all three are healthy', `${states.toSorted()}` === `${healthy}`, states);
}

/** What a command prints in the project's folder, with its settings; also when it fails. */
function ask(engine: Engine, command: string): string {
  const { stdout, stderr } = engine.run(`${settings}; ${command}`, '/srv/game');
  return stdout + stderr;
}

interface Answer {
  /** 0 if nothing answered. */
  readonly status: number;
  readonly text: string;
}

/** Asks URLs from the machine that Docker runs on, or from another. */
function getAll(engine: Engine, urls: readonly string[], from = engine.network): Answer[] {
  const program = `
    const get = (url) => fetch(url, { signal: AbortSignal.timeout(30_000) }).then(
      async (r) => ({ status: r.status, text: await r.text() }), () => ({ status: 0, text: '' }));
    Promise.all(process.argv.slice(1).map(get)).then((all) => console.log(JSON.stringify(all)));`;
  const command = [...from, process.execPath, '-e', program, ...urls];
  return JSON.parse(execFileSync('nsenter', command, { encoding: 'utf8', maxBuffer: 1 << 26 }));
}

/** The `data` of Prometheus' answers; undefined where it refused. */
function prometheus(engine: Engine, paths: readonly string[]) {
  const answers = getAll(
    engine,
    paths.map((path) => `http://127.0.0.1:9090/api/v1/${path}`),
  );
  return answers.map(({ text }) => JSON.parse(text || '{}').data);
}

/** The value of a query with one result; 0 without any. */
function value(engine: Engine, query: string): number {
  const [data] = prometheus(engine, [`query?query=${encodeURIComponent(query)}`]);
  return Number(data?.result?.[0]?.value[1] ?? 0);
}

async function monitoring(engine: Engine): Promise<void> {
  const targets = await until(
    () =>
      prometheus(engine, ['targets'])[0]?.activeTargets as
        | { scrapeUrl: string; health: string }[]
        | undefined,
    (found) => found?.[0]?.health === 'up',
  );
  const scraped = targets?.map(({ scrapeUrl, health }) => `${scrapeUrl} ${health}`);
  check('Prometheus scrapes the relay', `${scraped}` === 'http://relay:9464/metrics up', targets);
  const alarms = readFileSync('deploy/prometheus-alerts.yml', 'utf8').match(/alert: \w+/g)!.length;
  const quiet = (rules: { health: string; state: string }[]) =>
    rules.length === alarms && rules.every(({ health, state }) => health === 'ok' && state === 'inactive');
  const rules = await until(
    () =>
      (prometheus(engine, ['rules'])[0]?.groups ?? []).flatMap(
        (group: { rules: { health: string; state: string }[] }) => group.rules,
      ),
    quiet,
  );
  check(`${alarms} alarms are evaluated, and none is raised`, quiet(rules), rules);
  // More scrapes, so that rates have a value.
  await until(
    () => value(engine, 'count_over_time(hotmic_ready[5m])'),
    (samples) => samples >= 3,
  );
  const { panels } = JSON.parse(readFileSync('deploy/grafana-dashboard.json', 'utf8'));
  const queries: string[] = panels.flatMap((panel: { targets: { expr: string }[] }) =>
    panel.targets.map(({ expr }) =>
      expr.replaceAll(/\$(job|instance)/g, '.*').replaceAll('$__rate_interval', '1m'),
    ),
  );
  const answers = prometheus(
    engine,
    queries.map((query) => `query?query=${encodeURIComponent(query)}`),
  );
  const refused = queries.filter((_, at) => answers[at]?.result === undefined);
  check(`Prometheus answers the dashboard's ${queries.length} queries`, refused.length === 0, refused);
  const empty = queries.filter((_, at) => answers[at]?.result?.length === 0);
  console.log(`-- ${queries.length - empty.length} with values; without:\n   ${empty.join('\n   ')}`);
}

/** A player of the docs' lobby, from the machine that Docker runs on, or from another. */
function player(engine: Engine, id: number, command: string, host: string, net = engine.network) {
  const token = `npx hotmic token --key backend.key --lobby den --steam-id 7656119796026572${id}`;
  const line = `HOTMIC_TOKEN=$(${token}) npx hotmic ${command} --lobby den --no-reconnect ws://${host}:7800`;
  const child = spawn(...engine.shell(line, '/srv/game', net), { stdio: 'pipe' });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const ended = once(child, 'exit').then(([code]) => ({ code, printed }));
  return { ended, printed: () => printed };
}

async function people(engine: Engine, world: readonly string[]): Promise<void> {
  const listener = player(engine, 1, 'listen --seconds 60', '192.0.2.1', world);
  await until(listener.printed, (text) => text.includes('In lobby den'));
  const talker = player(engine, 2, 'talk --tone 440 --seconds 40', '127.0.0.1');
  await until(talker.printed, (text) => text.includes('In lobby den'));
  const seen = () => ask(engine, 'docker compose exec -T prometheus wget -q -O - http://relay:9464/metrics');
  const counted = await until(seen, (text) => /^hotmic_addresses 2$/m.test(text));
  check('the relay sees the address of each player', /^hotmic_addresses 2$/m.test(counted), counted);
  const talked = await talker.ended;
  check('a player with a token talks', talked.code === 0, talked);
  const heard = await listener.ended;
  check('another hears it', heard.code === 0 && /talker speaks/.test(heard.printed), heard);
  const published = await until(
    () => value(engine, 'hotmic_voice_frames_published_total'),
    (frames) => frames > 500,
  );
  check(`Prometheus counted what was said: ${published} frames`, published > 500);
  const refused = engine.run('npx hotmic listen ws://127.0.0.1:7800 --lobby den --seconds 1', '/srv/game');
  check('nobody joins without a token', refused.status !== 0 && /token/.test(refused.stderr), refused.stderr);
}

function reachable(engine: Engine, world: readonly string[]): void {
  const paths = ['7800/healthz', '9464/healthz', '9090/-/ready', '3000/api/health'];
  const statuses = (host: string, from?: readonly string[]) =>
    getAll(
      engine,
      paths.map((path) => `http://${host}:${path}`),
      from,
    ).map(({ status }) => status);
  const outside = statuses('192.0.2.1', world);
  check('another machine reaches only the port for players', `${outside}` === '200,0,0,0', outside);
  const inside = statuses('127.0.0.1');
  check('this machine also reaches Prometheus and Grafana', `${inside}` === '200,0,200,200', inside);
  const [health] = getAll(engine, ['http://127.0.0.1:3000/api/health']);
  const given =
    '{"password":true,"datasource":true,"provider":true,"dashboard":true,"prometheus":true,"relay":false}';
  check(
    'Grafana reads its files and Prometheus, and does not reach the relay',
    health?.text === given,
    health,
  );
}

function restricted(engine: Engine): void {
  for (const [service, user, writable] of [
    ['relay', '1000', '/var/lib/hotmic'],
    ['prometheus', '65534', '/prometheus'],
    ['grafana', '472', '/var/lib/grafana'],
  ] as const) {
    const inside = (command: string) =>
      ask(engine, `docker compose exec -T ${service} sh -c '${command}'`).trim();
    check(`${service} runs as ${user}`, inside('id -u') === user, inside('id -u'));
    check(
      `${service} can write to ${writable} only`,
      inside(
        `touch ${writable}/x && rm ${writable}/x && ! touch /etc/x /usr/x /home/x 2>/dev/null && echo so`,
      ) === 'so',
    );
    const rights = inside('grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/1/status | tr -s "\\t\\n" "  "');
    check(
      `${service} has no capabilities`,
      rights === 'CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1',
      rights,
    );
  }
  const limit = ask(engine, `docker compose exec -T relay sh -c 'ulimit -n'`).trim();
  check(`the relay may open ${files} files`, limit === `${files}`, limit);
  const tools = ask(
    engine,
    `docker compose exec -T relay sh -c 'ls dist node_modules/uWebSockets.js/*.node; ls -d node_modules/typescript'`,
  );
  check(
    'it has only this Node’s uWebSockets and no tools',
    tools.match(/uws_\w+\.node/g)?.length === 1 &&
      /cannot access 'node_modules\/typescript'/.test(tools) &&
      !/^(test|bench|examples)$/m.test(tools),
    tools,
  );
}

async function drains(engine: Engine): Promise<void> {
  const talker = player(engine, 3, 'talk --tone 440 --seconds 12', '127.0.0.1');
  await until(talker.printed, (text) => text.includes('In lobby den'));
  const began = performance.now();
  const stopping = spawn(...engine.shell(`${settings}; docker compose stop relay`, '/srv/game'), {
    stdio: 'ignore',
  });
  const stopped = once(stopping, 'exit');
  const left = await talker.ended;
  await stopped;
  const seconds = (performance.now() - began) / 1000;
  check(
    'a player talks to the end while the relay drains',
    left.code === 0 && /Sent \d+/.test(left.printed),
    left,
  );
  const state = `docker inspect --format '{{.State.ExitCode}}' $(docker compose ps -aq relay)`;
  const code = ask(engine, state).trim();
  check(`the relay ends in order, after ${seconds.toFixed(1)} s`, code === '0', code);
}

await build();
const engine = await Engine.start('its own');
try {
  await start(engine);
  const world = await engine.world();
  reachable(engine, world);
  restricted(engine);
  await people(engine, world);
  await monitoring(engine);
  await drains(engine);
  if (failures > 0) console.log(ask(engine, 'docker compose logs --no-color --tail 40'));
  ask(engine, 'docker compose down --volumes');
} finally {
  await engine.stop();
}
console.log(failures === 0 ? 'deploy/compose.yaml: it ran as documented' : `${failures} failed`);
process.exit(failures === 0 ? 0 : 1);
