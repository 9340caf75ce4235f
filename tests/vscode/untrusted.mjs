// A folder that is not trusted in the editor: whatever the settings wish for, sessions are read-only there.
import assert from 'node:assert/strict';
import { step, test, until } from './workbench.mjs';

await test({ trust: false, settings: { 'pilotfish.mode': 'agent' } }, async (workbench) => {
  await workbench.execute('pilotfish.openChat');
  await workbench.connected();
  assert.equal(await workbench.spied((vscode) => vscode.workspace.isTrusted), false);
  // The session of before was in agent mode.
  await until('it was switched', async () => /read-only/.test(await workbench.said()));
  await workbench.command('Pilotfish: Switch between Read-only and Agent…');
  await workbench.page.locator('.notification-toast', { hasText: 'not trusted' }).first().waitFor();
  await workbench.picture('untrusted');
  await workbench.command('Pilotfish: New Session');
  await step('opened');
});
