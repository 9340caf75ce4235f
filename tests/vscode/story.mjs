// A person's day with the panel, by keyboard where there is a key.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { step, test, until } from './workbench.mjs';

await test({ width: 1400, height: 900 }, async (workbench) => {
  const { page } = workbench;
  await workbench.command('Pilotfish: Open Chat');
  let panel = await workbench.webview('.composer .field');
  const ask = async (words) => {
    await panel.focus('.composer .field');
    await page.keyboard.type(words);
    await page.keyboard.press('Enter');
  };
  const says = (words) => until(`the panel says ${words}`, () => panel.evaluate((words) => document.body.textContent.includes(words), words));
  const idle = () => until('the turn is over', () => panel.evaluate(() => document.querySelector('.status')?.className === 'status idle'));
  await panel.waitForSelector('.welcome h2');
  await workbench.picture('panel-welcome');

  // The first question opens a session that only reads.
  await until('the focus is in the composer', () => panel.evaluate(() => document.activeElement.matches('.composer .field')));
  await page.keyboard.type('What would you change in notes.txt?');
  await page.keyboard.press('Enter');
  await says('I propose one line.');
  await panel.waitForSelector('.proposal .buttons');
  await idle();
  await workbench.picture('panel-proposal');
  await step('proposed');
  await panel.click('.proposal .buttons >> text=Apply');
  await says('Not open any more');
  await step('accepted');

  // Agent mode is one deliberate choice.
  await panel.focus('.composer .field');
  await page.keyboard.press('Control+.');
  await panel.waitForSelector('.popup');
  await workbench.picture('panel-mode');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await panel.waitForSelector('.composer.agent');

  await ask('Publish it.');
  await panel.waitForSelector('.card.approval');
  assert.ok(await panel.evaluate(() => document.activeElement.matches('.composer .field')), 'the card takes no focus');
  await page.keyboard.type('1');
  await workbench.picture('panel-approval');
  assert.ok(await panel.isVisible('.card.approval'), 'typing answers nothing');
  await page.keyboard.press('Backspace');
  await workbench.command('Pilotfish: Focus What Waits').catch(() => workbench.execute('pilotfish.focusApproval'));
  await until('the card has the focus', () => panel.evaluate(() => document.activeElement.matches('.card')));
  await until('the card takes answers', () => panel.evaluate(() => [...document.querySelectorAll('.card .button')].every((button) => !button.disabled)));
  await page.keyboard.press('3');
  await panel.waitForSelector('.rule');
  await until('it can be saved', () => panel.evaluate(() => [...document.querySelectorAll('.card .button')].some((button) => button.textContent === 'Save and Run' && !button.disabled)));
  const shown = await panel.textContent('.rule dd >> nth=1 >> code');
  await workbench.picture('panel-always');
  const rules = await step('always');
  await panel.click('.card >> text=Save and Run');
  await says('Published.');
  await idle();
  const saved = readFileSync(rules, 'utf8');
  assert.ok(saved.includes(`argv = ${shown}`), `${shown} is not what stands in\n${saved}`);
  assert.ok(await panel.isVisible('text=Revoke'));
  await panel.click('text=Revoke');
  await says('Revoked');
  await until('the rule is gone', () => !readFileSync(rules, 'utf8').includes('publish.sh'));
  await step('allowed');

  await ask('Change all three.');
  await says('All three.');
  await until('three files wait', () => panel.evaluate(() => document.querySelector('.working-set')?.textContent.includes('3 files')));
  await workbench.picture('panel-changes');
  await workbench.open('a.txt', 1);
  await workbench.command('Pilotfish: Keep Change');
  await until('two are left', () => panel.evaluate(() => document.querySelector('.working-set').textContent.includes('2 files')));
  await workbench.open('b.txt', 1);
  await workbench.command('Pilotfish: Undo Change');
  await until('one is left', () => panel.evaluate(() => document.querySelector('.working-set').textContent.includes('1 file')));
  await workbench.picture('panel-review');
  await panel.click('.working-set >> text=Keep');
  await until('none is left', () => panel.isHidden('.working-set'));
  await step('reviewed');

  await ask('Wait for it.');
  await panel.waitForSelector('.tool[data-status=running]');
  await step('runs');
  await panel.click('.header .stop');
  await panel.waitForSelector('.status.stopped');
  await step('stopped');

  await ask('Tell me in two halves.');
  await says('The first half.');
  await panel.focus('.composer .field');
  await page.keyboard.type('a draft');
  await page.waitForTimeout(400);
  await workbench.load();
  panel = await workbench.webview('.composer .field');
  await says('The first half.');
  await until('the draft is there', () => panel.evaluate(() => document.querySelector('.composer .field').value === 'a draft'));
  await step('reloaded');
  await says('And the second half.');
  await idle();
  assert.equal(await panel.evaluate(() => document.body.textContent.split('The first half.').length), 2, 'nothing is there twice');
  const questions = await panel.evaluate(() => [...document.querySelectorAll('.user .text')].map((text) => text.textContent));
  assert.deepEqual(questions, ['What would you change in notes.txt?', 'Publish it.', 'Change all three.', 'Wait for it.', 'Tell me in two halves.']);
  await workbench.picture('panel-story');
});
