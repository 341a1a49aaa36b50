/** Steam in Electron's main process; the page asks it for tickets: electron dist/examples/electron_main.js */

import { app, BrowserWindow, ipcMain } from 'electron';
import { openSteam } from 'hotmic/steam';

// The main process owns Steam: a page has no Node, and a second process would be a second player to Steam.
// Pack libsteam_api and node_modules/hotmic with asarUnpack: no library can be loaded from inside an archive.
const steam = openSteam({ appId: 480 });
console.log(`this is ${steam.report.why}`);

ipcMain.handle('steam-id', () => String(steam.user.getSteamID()));
ipcMain.handle('relay-ticket', async () => {
  const ticket = await steam.getAuthTicketForWebApi('hotmic');
  return ticket.bytes; // a copy crosses to the page
});
steam.user.on('steam_server_disconnected', ({ result }) => {
  for (const window of BrowserWindow.getAllWindows()) window.webContents.send('steam-lost', result);
});

app.on('will-quit', () => steam.close());
await app.whenReady();
await new BrowserWindow({ width: 960, height: 600 }).loadURL('data:text/html,<title>Hotmic</title>');
