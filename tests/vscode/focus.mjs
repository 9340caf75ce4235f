// Somebody types while the agent edits 21 files, the one that is typed in among them: every character lands where the caret was, and
// nothing is opened, closed, shown or moved.
import assert from 'node:assert/strict';
import { step, test, until } from './workbench.mjs';

const typed = 'the quick brown fox jumps over the lazy dog, '.repeat(5).slice(0, 200);

await test({}, async (workbench) => {
  const { page } = workbench;
  for (const name of ['f01.txt', 'f02.txt', 'main.txt']) await workbench.open(name, 1);
  await workbench.connected();
  await workbench.open('main.txt', 1);
  await page.keyboard.press('End');
  const look = () =>
    workbench.spied((vscode) => ({
      active: vscode.window.activeTextEditor?.document.uri.path,
      tabs: vscode.window.tabGroups.all.flatMap((group) => group.tabs.map((tab) => `${tab.label}${tab.isActive ? ' active' : ''}`)),
      groups: vscode.window.tabGroups.all.length,
      top: vscode.window.activeTextEditor?.visibleRanges[0].start.line,
      line: vscode.window.activeTextEditor?.selection.active.line,
    }));
  const element = () => page.evaluate(() => document.activeElement?.className);
  const before = [await look(), await element()];
  const type = async (words) => {
    for (const letter of words) {
      await page.keyboard.type(letter);
      await page.waitForTimeout(12);
    }
  };
  await step('typing');
  await type(typed.slice(0, 160));
  await step('near');
  await type(typed.slice(160));
  // The extension host hears of keys a moment later.
  await until('the last character came', async () => (await workbench.text('main.txt')).text.split('\n')[1].length >= 11 + typed.length);
  const { text } = await workbench.text('main.txt');
  assert.equal(text.split('\n')[1], `main line 2${typed}`, 'every character is where the caret was');
  assert.deepEqual([await look(), await element()], before, 'nothing moved');
  await step('typed');
  await until('the edits near the caret came when the typing was over', async () => (await workbench.text('main.txt')).text.includes('new 6'));
  const end = await workbench.text('main.txt');
  assert.match(end.text, /new 60/);
  assert.equal(end.text.split('\n')[1], `main line 2${typed}`);
  assert.deepEqual([await look(), await element()], before, 'nothing moved afterwards');
  for (const name of ['f01.txt', 'f02.txt']) assert.deepEqual((await workbench.text(name)).dirty, false, `${name} is saved`);
  assert.equal(end.dirty, true, 'what was being typed stays unsaved');

  // Likewise in the composer.
  const panel = await workbench.webview('textarea.field');
  await panel.locator('textarea.field').click();
  const beside = await look();
  await step('composing');
  await type(typed);
  await step('composed');
  assert.equal(await panel.locator('textarea.field').inputValue(), typed);
  assert.deepEqual(await look(), beside, 'nothing moved');
  assert.equal(await panel.evaluate(() => document.activeElement.className), 'field');
  await until('the edits came', async () => (await workbench.text('main.txt')).text.includes('new 70'));
});
