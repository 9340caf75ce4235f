// In a repository: our verbs work by command, lens and in the view of many files, and git's own buttons are all there.
import assert from 'node:assert/strict';
import { lensesOf, step, test, until } from './workbench.mjs';

await test({ settings: { 'git.enabled': true, 'git.openRepositoryInParentFolders': 'never' } }, async (workbench) => {
  const { page } = workbench;
  await workbench.open('a.txt');
  await workbench.connected();
  await until('git knows the repository', () =>
    workbench.spied(async (vscode) => {
      const git = await vscode.extensions.getExtension('vscode.git')?.activate();
      return git?.getAPI(1).repositories.length === 1;
    }),
  );
  await step('open');
  await until('hunks wait', async () => (await lensesOf(workbench, 'a.txt')).length === 6);
  const changed = () =>
    workbench.spied((vscode) => {
      const [repository] = vscode.extensions.getExtension('vscode.git').exports.getAPI(1).repositories;
      return repository.state.workingTreeChanges.map(({ uri }) => uri.path.split('/').at(-1)).sort();
    });
  await until('git sees the changes', async () => (await changed()).join() === 'a.txt,b.txt');

  // Git's own buttons.
  await workbench.execute('workbench.view.scm');
  const row = page.locator('.scm-view .monaco-list-row', { hasText: 'a.txt' }).first();
  await row.hover();
  for (const label of ['Stage Changes', 'Discard Changes']) await row.locator(`.action-label[aria-label*="${label}"]`).first().waitFor();
  await workbench.picture('git-scm');

  // A lens, and a command.
  await workbench.open('a.txt', 2);
  await page.locator('.codelens-decoration a', { hasText: 'Undo' }).first().click();
  await until('one is undone', async () => (await lensesOf(workbench, 'a.txt')).length === 3);
  await workbench.command('Pilotfish: Keep File');
  await until('none is left', async () => (await lensesOf(workbench, 'a.txt')).length === 0);
  await until('git still sees what was kept', async () => (await changed()).join() === 'a.txt,b.txt');

  // The view of many files: the command works at the caret there.
  await workbench.command('Pilotfish: Review All Changes');
  const editor = page.locator('.multiDiffEntry .modified .view-line, .multi-diff-root-floating-menu, .multiDiffEditor .view-line').first();
  await editor.waitFor();
  await workbench.picture('git-changes');
  const line = page.locator('.multiDiffEditor .view-line, .multiDiffEntry .view-line').filter({ hasText: 'new 2' }).first();
  await line.click();
  await until('the caret is there', () => workbench.spied((vscode) => vscode.window.activeTextEditor?.document.uri.path.endsWith('/b.txt')));
  await workbench.command('Pilotfish: Keep Change');
  await until('nothing waits any more', async () => (await lensesOf(workbench, 'b.txt')).length === 0);
  assert.deepEqual(await changed(), ['a.txt', 'b.txt']);
  await step('decided');
});
