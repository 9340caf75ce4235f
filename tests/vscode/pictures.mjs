// Draws the review in all themes, and walks through a proposal: it is seen, one is accepted, one meets the person's own words.
import assert from 'node:assert/strict';
import { lensesOf, step, test, THEMES, until } from './workbench.mjs';

await test({ width: 1360, height: 860, settings: { 'workbench.sideBar.location': 'left' } }, async (workbench) => {
  const { page } = workbench;
  const lenses = (words) => lensesOf(workbench, 'watch.ts').then((titles) => titles.filter((title) => title.includes(words)).length);
  const inThemes = async (name, prepare = async () => undefined) => {
    for (const [key, theme] of Object.entries(THEMES)) {
      await workbench.spied(async (vscode, theme) => vscode.workspace.getConfiguration('workbench').update('colorTheme', theme, true), theme);
      await until(`the theme is ${key}`, () => page.evaluate((key) => {
        const kinds = { dark: 'vs-dark', light: 'vs', contrast: 'hc-black', 'contrast-light': 'hc-light' };
        return document.querySelector('.monaco-workbench').classList.contains(kinds[key]);
      }, key));
      await prepare();
      await page.waitForTimeout(400);
      await workbench.picture(`${name}-${key}`);
    }
  };

  await workbench.open('watch.ts');
  await workbench.connected();
  await workbench.open('watch.ts', 0);
  await step('open');
  await until('four hunks', async () => (await lenses('Keep')) === 4);
  await page.locator('.codelens-decoration a', { hasText: 'Undo' }).nth(3).waitFor();
  await (await workbench.webview('textarea.field')).locator('body', { hasText: 'a clock of its own' }).waitFor();
  await inThemes('review');

  // The old text under the mouse.
  await page.locator('.view-line', { hasText: 'this.clock.after' }).first().hover({ position: { x: 90, y: 8 } });
  await page.locator('.monaco-hover', { hasText: 'setTimeout' }).first().waitFor();
  await workbench.picture('review-hover');
  await workbench.execute('pilotfish.reviewAll');
  await page.locator('.multiDiffEntry .view-line, .multiDiffEditor .view-line').first().waitFor();
  await inThemes('review-all');

  await workbench.execute('workbench.action.closeActiveEditor');
  await workbench.execute('pilotfish.keepAll');
  await until('all are kept', async () => (await lenses('Keep')) === 0);
  await workbench.execute('pilotfish.unkeep');
  await until('that was taken back', async () => (await lenses('Keep')) === 4);
  await workbench.execute('pilotfish.keepAll');
  await workbench.open('watch.ts', 0);
  await step('propose');

  await until('two proposals', async () => (await lenses('Accept')) === 2);
  await page.locator('.codelens-decoration a', { hasText: 'Reject' }).nth(1).waitFor();
  await workbench.picture('proposals');
  await page.locator('.codelens-decoration a', { hasText: 'Show proposal' }).first().click();
  await page.locator('.monaco-diff-editor .view-line', { hasText: 'limit = 256' }).first().waitFor();
  await workbench.picture('proposal-diff');
  await workbench.execute('workbench.action.closeActiveEditor');
  const at = async (words) => (await workbench.text('watch.ts')).text.split('\n').findIndex((text) => text.includes(words));
  await workbench.open('watch.ts', await at('const limit'));
  await workbench.execute('pilotfish.acceptHunk');
  await until('it is in the text', async () => (await workbench.text('watch.ts')).text.includes('limit = 256'));
  await until('one is left', async () => (await lenses('Accept')) === 1);

  // The person writes where the other one would go.
  await workbench.open('watch.ts', await at('pending.add(path)'));
  await page.keyboard.press('End');
  await page.keyboard.type(' // mine');
  await until('it is a conflict', async () => (await lenses('You changed these lines too')) === 1);
  await inThemes('conflict');
  const asked = workbench.execute('pilotfish.rejectAll');
  const dialog = page.locator('.monaco-dialog-box');
  await dialog.waitFor();
  await workbench.picture('reject-all');
  await dialog.locator('.monaco-button', { hasText: 'Reject' }).first().click();
  await asked;
  await until('nothing waits', async () => (await lensesOf(workbench, 'watch.ts')).length === 0);
  assert.match((await workbench.text('watch.ts')).text, /pending\.add\(path\); \/\/ mine/);
  await step('decided');
});
