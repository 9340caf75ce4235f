// A question is open, the reader is further up and half a thought is written: the window is loaded again, the view goes to the other side
// bar, the daemon is killed. All of it is still there, and the question goes when somebody else has answered it.
import { step, test, until } from './workbench.mjs';

await test({ width: 1400, height: 1000 }, async (workbench) => {
  const { page } = workbench;
  await workbench.command('Pilotfish: Open Chat');
  await workbench.connected();
  let panel = await workbench.webview('.header:not([hidden])');
  await step('open');
  await panel.waitForSelector('.card.approval');
  await panel.focus('.composer .field');
  await page.keyboard.type('half a thought');
  await panel.hover('.scroller', { position: { x: 100, y: 30 } });
  for (let turn = 0; turn < 3; turn++) {
    await page.mouse.wheel(0, -300);
    await page.waitForTimeout(100);
  }
  await panel.waitForSelector('.to-end:not([hidden])');
  await page.waitForTimeout(500);

  const state = () => panel.evaluate(() => {
    const scroller = document.querySelector('.scroller').getBoundingClientRect().top;
    const blocks = [...document.querySelectorAll('.block')];
    const first = blocks.findIndex((block) => block.getBoundingClientRect().bottom > scroller);
    return {
      block: blocks[first]?.textContent,
      offset: Math.round(blocks[first]?.getBoundingClientRect().top - scroller),
      text: document.querySelector('.items').textContent,
      draft: document.querySelector('.composer .field').value,
      card: document.querySelector('.card').textContent,
    };
  });
  const before = await state();
  const same = async (what) => {
    panel = await workbench.webview('.card.approval');
    await until(`all is there ${what}`, async () => {
      const now = await state().catch(() => ({}));
      return now.draft === before.draft && now.card === before.card && now.text === before.text && now.block === before.block && Math.abs(now.offset - before.offset) <= 2;
    }).catch(async (error) => {
      const now = await state();
      console.error({ ...before, text: before.text === now.text }, { ...now, text: '' });
      throw error;
    });
  };
  const loaded = page.waitForEvent('load');
  await workbench.command('Developer: Reload Window');
  await loaded;
  await page.waitForSelector('.monaco-workbench');
  await until('extensions run', () => workbench.spied(() => true).catch(() => false), 60_000);
  await same('after a reload');
  await workbench.picture('panel-reloaded');
  await workbench.execute('workbench.action.closeAuxiliaryBar');
  await page.waitForTimeout(300);
  await workbench.execute('pilotfish.chat.focus');
  await same('after it was hidden');
  const daemon = Number(await step('killed'));
  process.kill(daemon, 'SIGKILL');
  await page.waitForTimeout(1500);
  await same('after the daemon was killed');
  await step('shown');
  const began = Date.now();
  await panel.waitForSelector('.card', { state: 'hidden' });
  console.error(`the card left after ${Date.now() - began} ms`);
  await until('what was typed stays', async () => (await panel.inputValue('.composer .field')) === 'half a thought');
});
