/** Steam in Electron's main process; the page asks it for tickets: electron dist/examples/electron_main.js */

import { app, BrowserWindow, ipcMain } from 'electron';
import { type HeldTicket, openSteam } from 'hotmic/steam';

// The main process owns Steam: a page has no Node, and a second process would be a second player to Steam.
// Pack libsteam_api and node_modules/hotmic with asarUnpack: no library can be loaded from inside an archive.
const steam = openSteam({ appId: 480 });
console.log(`this is ${steam.report.why}`);

ipcMain.handle('steam-id', () => String(steam.user.getSteamID()));
let ticket: HeldTicket | null = null;
ipcMain.handle('relay-ticket', async () => {
  ticket?.cancel(); // of the lobby before
  ticket = await steam.getAuthTicketForWebApi('hotmic');
  return ticket.bytes; // a copy crosses to the page
});
steam.user.on('steam_server_disconnected', ({ result }) => {
  for (const window of BrowserWindow.getAllWindows()) window.webContents.send('steam-lost', result);
});

app.on('will-quit', () => steam.close());
// No await: Electron becomes ready only when this module has run to its end.
app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 960, height: 600 });
  return window.loadURL('data:text/html,<title>Hotmic</title>');
});
