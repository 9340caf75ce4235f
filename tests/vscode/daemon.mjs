// The daemon that is missing, too old, dumb or dying: what is wrong and how to mend it is said, once, and nothing is tried for ever.
import assert from 'node:assert/strict';
import { startsOf, forged, start, until } from './workbench.mjs';

/** Starts a workbench with a program in the daemon's place, and waits for what the status bar says of it. */
async function says(program, words, body = async () => undefined) {
  const workbench = await start({ program });
  try {
    await workbench.execute('pilotfish.openChat');
    const item = workbench.page.locator('.statusbar-item[id="pilotfish.pilotfish.pilotfish.status"], .statusbar-item[aria-label^="pilotfish"]').first();
    await until(`the status bar says ${words}`, async () => words.test((await item.getAttribute('aria-label')) ?? ''), 30_000).catch(async (error) => {
      throw new Error(`${error.message}; it says: ${await workbench.said()}`);
    });
    await body(workbench);
  } finally {
    await workbench.stop();
  }
}

await says('/nowhere/pilotfish', /pilotfish\.path names \/nowhere\/pilotfish, which is not there/, async (workbench) => {
  await workbench.picture('daemon-missing');
  assert.equal(await workbench.page.locator('.notification-toast').count(), 0, 'nothing pops up by itself');
  await workbench.page.locator('.statusbar-item[aria-label^="pilotfish"] a').first().click();
  await workbench.page.locator('.notification-toast .monaco-button', { hasText: 'Restart' }).waitFor();
  await workbench.picture('daemon-missing-asked');
});
await says(forged('old'), /too old for this extension: 0\.0\.1 lacks items, review/);
await says(forged('mute'), /config\.toml line 3/);
await says(forged('dying'), /ended 4 times within a minute/, async () => {
  assert.equal(startsOf(), 4, 'it was started once and three times again');
});
