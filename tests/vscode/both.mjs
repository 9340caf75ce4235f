// Beside a Neovim at the same session: what is decided there is gone here, and the other way round.
import { step, test, until } from './workbench.mjs';

await test({}, async (workbench) => {
  const { page } = workbench;
  const lenses = () => page.locator('.codelens-decoration a', { hasText: 'Undo' });
  const painted = (count) => until(`${count} changes are drawn`, async () => (await lenses().count()) === count);
  const told = (what, since) => console.error(`${what} ${Date.now() - Number(since)} ms after it was decided`);

  await workbench.open('a.txt');
  await workbench.connected();
  const panel = await workbench.webview('.composer .field');
  await step('open');

  const asks = (target) => panel.locator('.card.approval', { hasText: target });
  await asks('../one').waitFor();
  const answered = await step('asked');
  await asks('../one').waitFor({ state: 'detached' });
  told('the card was gone', answered);
  await asks('../two').waitFor();
  await step('answered');
  await asks('../two').locator('button', { hasText: 'Run Once' }).click();
  await asks('../two').waitFor({ state: 'hidden' });

  await painted(2);
  await workbench.picture('both');
  const kept = await step('drawn');
  await painted(1);
  told('the change was gone', kept);
  await step('kept');
  await lenses().first().click();
  await painted(0);
});
