/** Steam in Electron's main process; the page asks it for tickets: electron dist/examples/electron_main.js */

import { app, BrowserWindow, ipcMain } from 'electron';
import { type HeldTicket, openSteam } from 'hotmic/steam';

// The main process owns Steam: a page has no Node, and Steam would see a second process as a second player.
// Exclude libsteam_api and node_modules/hotmic from the archive with asarUnpack: libraries cannot be loaded from inside it.
const steam = openSteam({ appId: 480 });
console.log(`this is ${steam.report.why}`);

ipcMain.handle('steam-id', () => String(steam.user.getSteamID()));
let ticket: HeldTicket | null = null;
ipcMain.handle('relay-ticket', async () => {
  ticket?.cancel(); // the ticket for the previous lobby
  ticket = await steam.getAuthTicketForWebApi('hotmic');
  return ticket.bytes; // a copy crosses to the page
});
steam.user.on('steam_server_disconnected', ({ result }) => {
  for (const window of BrowserWindow.getAllWindows()) window.webContents.send('steam-lost', result);
});

app.on('will-quit', () => steam.close());
// No await: Electron only becomes ready after this module has finished running.
app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 960, height: 600 });
  return window.loadURL('data:text/html,<title>Hotmic</title>');
});
