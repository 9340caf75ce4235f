// The connection breaks: it comes back by itself, with the session and with what waits for review. So it does when the person
// starts it again.
import { lensesOf, step, test, until } from './workbench.mjs';

await test({}, async (workbench) => {
  await workbench.open('notes.txt');
  await workbench.connected();
  await step('connected');
  await until('a hunk waits', async () => (await lensesOf(workbench, 'notes.txt')).length === 3);
  await step('broken');
  await workbench.connected();
  await until('it still waits', async () => (await lensesOf(workbench, 'notes.txt')).length === 3);
  // By the person's wish, while all is well.
  await workbench.execute('pilotfish.restart');
  await workbench.connected();
  await until('it waits after the restart', async () => (await lensesOf(workbench, 'notes.txt')).length === 3);
  await workbench.execute('pilotfish.keepFile');
  await until('it is kept', async () => (await lensesOf(workbench, 'notes.txt')).length === 0);
});
