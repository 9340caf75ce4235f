// Stopping by command, which is by keyboard: the command, then the turn.
import { step, test, until } from './workbench.mjs';

await test({}, async (workbench) => {
  await workbench.connected();
  const status = workbench.page.locator('.statusbar-item[aria-label^="pilotfish"]').first();
  const shows = (words) => until(`the status bar shows ${words}`, async () => words.test((await status.textContent()) ?? ''));
  await step('ready');
  await shows(/agent · .*sleep 61234.* 0:\d\d/);
  await workbench.picture('stop-running');
  await step('running');
  await workbench.command('Pilotfish: Stop the Running Command');
  await step('command');
  await shows(/agent · .*sleep 61235/);
  await workbench.command('Pilotfish: Stop the Turn');
  await shows(/agent · interrupted/);
  await step('turn');
});
