// A window with two folders: a new session asks in which of them it works.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { step, test, until } from './workbench.mjs';

const project = process.env.PILOTFISH_TEST_PROJECT;
const other = join(dirname(project), 'other');
const workspace = join(dirname(project), 'both.code-workspace');
writeFileSync(workspace, JSON.stringify({ folders: [{ path: project }, { path: other }] }));

await test({ workspace }, async (workbench) => {
  const { page } = workbench;
  await workbench.connected();
  await workbench.command('Pilotfish: New Session');
  const row = page.locator('.quick-input-list .monaco-list-row', { hasText: '/other' }).first();
  await row.waitFor();
  await workbench.picture('roots');
  await row.click();
  await until('it is shown', () => page.locator('.part.auxiliarybar .pane-header', { hasText: 'Changes' }).first().isVisible());
  await step('opened');
});
