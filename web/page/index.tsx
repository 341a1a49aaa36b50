/** The page: a form to join, the lobby, and what is left when it is over. */

import { render } from 'preact';
import { App } from './app.js';
import { readLink, withoutToken } from './link.js';
import { wordsFor } from './words.js';

const invitation = readLink(location.href);
// The token leaves the address bar, and the history, at once.
if (invitation.token !== null) history.replaceState(null, '', withoutToken(location.href));

const { language, words } = wordsFor(navigator.languages);
document.documentElement.lang = language;
document.title = words.title;

const root = document.getElementById('app')!;
const assets = JSON.parse(document.getElementById('assets')!.textContent!) as Parameters<
  typeof App
>[0]['assets'];
render(<App assets={assets} invitation={invitation} words={words} />, root);
