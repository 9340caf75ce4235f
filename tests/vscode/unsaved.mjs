// What a person has not saved: the agent's edits stand beside it, the disk stays as it is, and nobody's words are lost.
import assert from 'node:assert/strict';
import { step, test, until } from './workbench.mjs';

await test({}, async (workbench) => {
  const { page } = workbench;
  await workbench.open('clean.txt');
  await workbench.open('dirty.txt', 2);
  await page.keyboard.press('End');
  await page.keyboard.type(' MINE');
  await workbench.connected();
  await workbench.open('dirty.txt', 2);
  await step('typed');
  await until('the edit is there', async () => (await workbench.text('dirty.txt')).text.includes('new 15'));
  const { text, dirty } = await workbench.text('dirty.txt');
  assert.match(text, /dirty line 3 MINE\n/);
  assert.equal(dirty, true);
  const clean = await workbench.text('clean.txt');
  assert.match(clean.text, /new 5/);
  assert.equal(clean.dirty, false);
  // One step back takes the agent's edit, the next the person's own.
  await workbench.open('dirty.txt', 2);
  await page.keyboard.press('Control+Z');
  await until('the edit is gone', async () => !(await workbench.text('dirty.txt')).text.includes('new 15'));
  assert.match((await workbench.text('dirty.txt')).text, /dirty line 3 MINE\n/);
  await page.keyboard.press('Control+Z');
  await until('so are the words', async () => !(await workbench.text('dirty.txt')).text.includes('MINE'));
});
