/** Each example runs, the README shows code from the examples, and its commands and links exist. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { joinLobby } from '../client/lobby/join.js';
import { startRelay } from '../relay/index.js';
import { packetSamples, readPacket } from '../voice/packet.js';
import { personSteamId } from '../voice/steam_id.js';
import { VOICE_RATE_HZ } from '../voice/units.js';
import { readWav } from '../voice/wav.js';

const readme = readFileSync('README.md', 'utf8');

async function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}

/**
 * A relay, and a listener in the lobby den who counts the sound. The number of packets does not say how much was said: on a busy
 * machine a packet holds more frames.
 */
async function lobbyWithListener(t: Test) {
  const relay = await startRelay({ dev: true });
  let samples = 0;
  let onLeft: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    onLeft = resolve;
  });
  const listener = await joinLobby({
    url: relay.url,
    lobby: 'den',
    steamId: personSteamId(99),
    name: 'listener',
    events: {
      onVoice: (_participant, _header, packet) => {
        const read = readPacket(packet);
        if (read.kind === 'packet') samples += packetSamples(read);
      },
      onLeft: () => onLeft(),
    },
  });
  t.teardown(async () => {
    await listener.leave();
    await relay.close();
  });
  return { relay, listener, left, heardSeconds: () => samples / VOICE_RATE_HZ };
}

t.test('every example is under 40 lines, and there is a test for each', async (t) => {
  const examples = readdirSync('examples').filter((name) => name.endsWith('.ts'));
  for (const name of examples) {
    t.ok(readFileSync(join('examples', name), 'utf8').split('\n').length <= 40, `${name} is short`);
  }
  // voice_worklet.ts needs a browser: test/wasm/browser.test.ts runs it.
  const tested = [
    'channels.ts',
    'electron_main.ts',
    'embed_relay.ts',
    'licence_check.ts',
    'own_packets.ts',
    'packets_to_wav.ts',
    'push_to_talk.ts',
    'steam_push_to_talk.ts',
    'ticket_to_relay.ts',
    'voice_worklet.ts',
  ];
  t.same(examples.sort(), tested);
});

t.test('push_to_talk speaks in a lobby', async (t) => {
  const { relay, listener, left, heardSeconds } = await lobbyWithListener(t);
  const { code, output } = await run(['dist/examples/push_to_talk.js', relay.url, 'examples/speech/ben.wav']);
  t.equal(code, 0, output);
  const sent = Number(/sent (\d+) packets/.exec(output)?.[1]);
  t.equal(relay.counts().publishedFrames, sent, 'the relay published each of them');
  await left;
  t.equal(listener.counts().framesReceived, sent, 'and each was heard');
  t.ok(heardSeconds() > 1, `${heardSeconds()} s of the two that the key was down`);
});

t.test('channels speaks to a channel, then to everyone', async (t) => {
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  const { code, output } = await run(['dist/examples/channels.js', relay.url]);
  t.equal(code, 0, output);
  t.match(output, /sent 2 talkspurts\nleft/);
  t.equal(relay.counts().drops['target-unknown'], 0);
});

t.test('own_packets sends everything that its own getVoice returned', async (t) => {
  const { relay, listener, left, heardSeconds } = await lobbyWithListener(t);
  const { code, output } = await run(['dist/examples/own_packets.js', relay.url]);
  t.equal(code, 0, output);
  const sent = Number(/sent (\d+) voice frames/.exec(output)?.[1]);
  t.equal(relay.counts().publishedFrames, sent);
  await left;
  t.equal(listener.counts().framesReceived, sent);
  t.ok(heardSeconds() > 0.9, `${heardSeconds()} s of the one that the key was down`);
});

t.test('steam_push_to_talk says which Steam it uses, and speaks', async (t) => {
  const { relay, listener, left, heardSeconds } = await lobbyWithListener(t);
  const { code, output } = await run(['dist/examples/steam_push_to_talk.js', relay.url, '480']);
  t.equal(code, 0, output);
  t.match(output, /this is the embedded Steam, because the real one cannot be opened: /);
  const sent = Number(/sent (\d+) packets/.exec(output)?.[1]);
  t.equal(relay.counts().publishedFrames, sent);
  await left;
  t.equal(listener.counts().framesReceived, sent);
  t.ok(heardSeconds() > 0.3, `${heardSeconds()} s`);
});

t.test('ticket_to_relay joins with its ticket', async (t) => {
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  const { code, output } = await run(['dist/examples/ticket_to_relay.js', relay.url]);
  t.equal(code, 0, output);
  t.match(output, /embedded ticket of \d+ bytes\njoined as 76561197960265729/);
});

t.test('licence_check authenticates the player and checks the licence', async (t) => {
  const { code, output } = await run(['dist/examples/licence_check.js', '480', '1234', '--dev']);
  t.equal(code, 0, output);
  t.match(output, /76561197960265729 is authenticated/);
  t.match(output, /DLC 1234: not owned/);
});

t.test('electron_main answers its page, and closes Steam when Electron quits', async (t) => {
  const hook = new URL('./kit/electron/hook.js', import.meta.url).href;
  const { code, output } = await run(['--import', hook, 'dist/examples/electron_main.js']);
  t.equal(code, 0, output);
  t.match(output, /steam-id: 76561197960265729/);
  t.match(output, /relay-ticket: \d+ bytes/);
  t.match(output, /quit/);
});

t.test('embed_relay listens, then stops by itself', async (t) => {
  const { code, output } = await run(['dist/examples/embed_relay.js', '0', '0.2']);
  t.equal(code, 0, output);
  t.match(output, /listening at ws:\/\/127\.0\.0\.1:\d+\//);
});

t.test('packets_to_wav writes the tone it compressed', async (t) => {
  const path = join(t.testdir(), 'tone.wav');
  const { code, output } = await run(['dist/examples/packets_to_wav.js', path]);
  t.equal(code, 0, output);
  const wav = readWav(readFileSync(path));
  t.equal(wav.kind, 'wav');
  if (wav.kind === 'wav')
    t.equal(wav.samples, 24_000 + 750, 'a second of tone, and the silence that ends a recording');
});

t.test('the code in the README is in an example, word for word', async (t) => {
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code.trim());
  t.ok(blocks.join('\n').split('\n').length > 10, 'there is code');
  const examples = readdirSync('examples')
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join('examples', name), 'utf8'));
  for (const code of blocks)
    t.ok(
      examples.some((example) => example.includes(code)),
      code,
    );
});

t.test('the commands and options in the README exist', async (t) => {
  const commands = [...readme.matchAll(/npx hotmic ([a-z]+)([^#\n|]*)/g)];
  t.ok(commands.length >= 5);
  for (const [, command = '', rest = ''] of commands) {
    const { code, output } = await run(['dist/cli/main.js', command, '--help']);
    t.equal(code, 0, command);
    for (const [option] of rest.matchAll(/--[a-z-]+/g))
      t.ok(output.includes(option), `${command} has ${option}`);
  }
  const makefile = readFileSync('Makefile', 'utf8');
  for (const [, target] of readme.matchAll(/\bmake ([a-z-]+)/g))
    t.ok(makefile.includes(`\n${target}:`), `make ${target}`);
});

const noMake = spawnSync('make', ['--version']).error ? 'make is not here' : false;

t.test('building neither rebuilds the wasm nor runs a benchmark', { skip: noMake }, async (t) => {
  const { stdout, status } = spawnSync('make', ['--dry-run', '--always-make', 'build'], { encoding: 'utf8' });
  t.equal(status, 0);
  t.match(stdout, /tsc/);
  t.notMatch(stdout, /wasm\/build\.sh|bench\/main\.js|test\/run\.js/);
});

t.test('the links in the documents resolve', async (t) => {
  const pages = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    ...readdirSync('docs')
      .filter((name) => !name.endsWith('.png'))
      .map((name) => `docs/${name}`),
  ];
  for (const page of pages) {
    for (const [, link = ''] of readFileSync(page, 'utf8').matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)) {
      t.ok(existsSync(join(dirname(page), link)), `${page} links to ${link}`);
    }
  }
});
