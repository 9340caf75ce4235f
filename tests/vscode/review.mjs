// Five hunks in three files: two are kept, one is undone, one is typed into, one is reverted by the editor's own arrow.
import assert from 'node:assert/strict';
import { lensesOf, step, test, until } from './workbench.mjs';

await test({}, async (workbench) => {
  const { page } = workbench;
  const lens = (title, index) => page.locator('.codelens-decoration a', { hasText: title }).nth(index);
  const titles = (path) => lensesOf(workbench, path);
  const painted = (count) => until(`${count} lenses are painted`, async () => (await page.locator('.codelens-decoration a', { hasText: 'Undo' }).count()) === count);
  const waits = (path, count) => until(`${count} hunks in ${path}`, async () => (await titles(path)).filter((title) => /Show old|New/.test(title)).length === count);

  await workbench.open('b.txt');
  await workbench.open('a.txt');
  await workbench.connected();
  await step('open');

  await waits('a.txt', 2);
  await waits('b.txt', 2);
  assert.deepEqual((await titles('a.txt')).slice(0, 3), ['$(check)\u00a0Keep', 'Show old (1) · 1/2', '$(discard)\u00a0Undo']);
  await painted(2);
  await workbench.picture('review-lenses');

  // By the lenses: the first is kept, the second undone.
  await lens('Keep', 0).click();
  await waits('a.txt', 1);
  await painted(1);
  await lens('Undo', 0).click();
  await waits('a.txt', 0);
  await until('a.txt is as it is to be', async () => (await workbench.text('a.txt')).text.includes('a line 15') && !(await workbench.text('a.txt')).dirty);

  // By the command, at the caret; then a key inside the other one.
  await workbench.open('b.txt', 2);
  await workbench.command('Pilotfish: Keep Change');
  await waits('b.txt', 1);
  await workbench.open('b.txt', 11);
  await page.keyboard.press('End');
  await page.keyboard.type(' mine');
  await until('the hunk holds what was typed', async () => (await workbench.text('b.txt')).text.includes('and 10 mine'));
  await waits('b.txt', 1);

  // By the editor's own arrow, in a diff that the command shows.
  await workbench.open('c.txt', 5);
  await workbench.command('Pilotfish: Review File');
  const arrow = page.locator('.diff-editor .revert-button, .gutterItem .action-item, .diff-editor .codicon-arrow-right').first();
  await arrow.waitFor();
  await workbench.picture('review-diff');
  await arrow.click();
  await waits('c.txt', 0);
  await page.keyboard.press('Control+S');
  await until('c.txt is saved', async () => !(await workbench.text('c.txt')).dirty);

  // What is drawn here is what the other client is told.
  const others = JSON.parse(await step('decided'));
  assert.equal(others.length, 1);
  assert.deepEqual(await titles('a.txt'), []);
  assert.deepEqual(await titles('b.txt'), ['$(check)\u00a0Keep', 'Show old (1) · 1/1', '$(discard)\u00a0Undo']);
  assert.deepEqual(await titles('c.txt'), []);
});
