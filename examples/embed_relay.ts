/** Runs a relay inside another server, for a minute: node dist/examples/embed_relay.js 7800 60 */

import { startRelay } from 'hotmic/relay';

const [port = '7800', seconds = '60'] = process.argv.slice(2);

const relay = await startRelay({
  dev: true, // admits anyone on this machine, without credentials
  port: Number(port),
  onEvent: (event) => console.log(event.kind, 'name' in event ? event.name : ''),
});
console.log(`listening at ${relay.url}`);

await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
console.log(`${relay.counts().publishedFrames} voice frames published`);
await relay.close();
