// Sessions are found, named, branched and put away, and each of that can be taken back; a person who looks elsewhere is told once.
import assert from 'node:assert/strict';
import { step, test, until } from './workbench.mjs';

await test({ height: 900 }, async (workbench) => {
  const { page } = workbench;
  const toast = (text) => page.locator('.notification-toast', { hasText: text }).first();
  await workbench.connected();
  await workbench.execute('pilotfish.sessions.focus');
  const rows = page.locator('.part.auxiliarybar [aria-label="Sessions"] .monaco-list-row, .pane:has(.pane-header[aria-label^="Sessions"]) .monaco-list-row');
  const row = (text) => rows.filter({ hasText: text }).first();
  await row('Find the leak').waitFor();
  await row('Write a haiku').waitFor();
  assert.match(await rows.first().getAttribute('aria-label'), /Write a haiku|Find the leak/, 'this folder comes first');
  await row('elsewhere').waitFor();
  await workbench.picture('sessions');

  // Found by a word of the transcript, which the title does not have.
  await workbench.command('Pilotfish: Search Sessions…');
  await page.locator('.quick-input-list .monaco-list-row').nth(2).waitFor();
  await page.locator('.quick-input-widget input[placeholder^="Search sessions"]').fill('heron');
  const found = page.locator('.quick-input-list .monaco-list-row');
  await until('one is found', async () => (await found.count()) === 1 && /haiku/.test(await found.first().textContent()));
  await workbench.picture('sessions-search');
  await page.keyboard.press('Enter');
  await until('it is shown', async () => (await (await workbench.webview('textarea.field')).locator('body').textContent()).includes('Write a haiku'));

  // Named, put away, and back.
  await workbench.command('Pilotfish: Rename Session…');
  await page.locator('.quick-input-widget input').first().fill('A heron');
  await page.keyboard.press('Enter');
  await row('A heron').waitFor();
  const id = await step('renamed');
  await workbench.execute('pilotfish.archiveSession', { id, title: 'A heron' });
  await until('it is away', async () => (await row('A heron').count()) === 0);
  await toast('was archived').locator('.monaco-button', { hasText: 'Undo' }).click();
  await row('A heron').waitFor();
  await workbench.execute('pilotfish.deleteSession', { id, title: 'A heron' });
  await until('it is gone', async () => (await row('A heron').count()) === 0);
  await toast('was deleted').locator('.monaco-button', { hasText: 'Undo' }).click();
  await row('A heron').waitFor();
  await workbench.execute('pilotfish.forkSession', { id });
  await until('there are two of it', async () => (await rows.filter({ hasText: 'A heron' }).count()) === 2);

  // Something waits while the panel is in sight: nobody is told. While it is not: once.
  await workbench.execute('pilotfish.selectSession', { id: await step('waiting') });
  await page.waitForTimeout(500);
  assert.equal(await page.locator('.notification-toast').count(), 0);
  await workbench.execute('workbench.action.closeAuxiliaryBar');
  await workbench.open('notes.txt');
  await step('hidden');
  await toast('waiting for you').waitFor();
  assert.equal(await page.locator('.notification-toast').count(), 1);
  await workbench.picture('notified');
  assert.match((await page.locator('.statusbar-item[aria-label^="pilotfish"]').first().getAttribute('class')) ?? '', /warning/, 'the status bar shows that something waits');
  await toast('waiting for you').locator('.monaco-button', { hasText: 'Show' }).click();
  await workbench.webview('textarea.field');
  await step('shown');
});
