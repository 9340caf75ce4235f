// The extension's size in every sense, and its keys, which are nobody else's: they are compared with those of the workbench itself.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, until } from './workbench.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../editors/vscode');
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const words = JSON.parse(readFileSync(join(folder, 'package.nls.json'), 'utf8'));
const { commands, configuration, keybindings, menus } = manifest.contributes;

assert.ok(commands.length <= 60, `${commands.length} commands`);
assert.ok(Object.keys(configuration.properties).length <= 20, 'settings');
assert.ok(keybindings.length <= 8, 'keys');
const size = statSync(process.env.PILOTFISH_TEST_VSIX).size;
assert.ok(size <= 300 * 1024, `the vsix has ${size} bytes`);

// Every word of the manifest that people read can be translated, and every translation is used.
const used = [...JSON.stringify(manifest).matchAll(/%([\w.]+)%/g)].map(([, key]) => key);
assert.deepEqual([...new Set(used)].sort(), Object.keys(words).sort());
for (const { command, title } of commands) assert.match(title, /^%command\./, command);
// Every entry of a menu is a command, and appears only beside what is ours or a file.
for (const [menu, entries] of Object.entries(menus)) {
  for (const { command, when } of entries) {
    assert.ok(commands.some((known) => known.command === command), `${menu}: ${command} is no command`);
    assert.match(when, /pilotfish\.|resourceScheme == file|^false$/, `${menu}: ${command} is shown where nothing is ours`);
  }
}

await test({}, async (workbench) => {
  await workbench.connected();
  // Every command that is named does exist.
  const registered = await workbench.spied((vscode) => vscode.commands.getCommands(true));
  for (const { command } of commands) assert.ok(registered.includes(command), `${command} does nothing`);

  const text = await workbench.spied(async (vscode) => (await vscode.workspace.openTextDocument(vscode.Uri.parse('vscode://defaultsettings/keybindings.json'))).getText());
  const defaults = JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')).filter(({ command, when }) => !command.startsWith('pilotfish.') && when !== 'false');
  assert.ok(defaults.length > 500, 'those are all keys of the workbench');
  for (const ours of keybindings) {
    const [first] = ours.key.split(' ');
    const taken = defaults.filter(({ key }) => key === ours.key || key === first || key.startsWith(`${ours.key} `));
    assert.deepEqual(taken, [], `${ours.key} of ${ours.command} is taken`);
    assert.doesNotMatch(ours.key, /^(escape|ctrl\+[zli]|ctrl\+alt\+[a-z])$/);
  }

  // How long activation takes, as the editor measures it; much is allowed where much else runs.
  await workbench.execute('workbench.action.showRuntimeExtensions');
  const times = workbench.page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: 'pilotfish' }).filter({ hasText: /Activation: \d+ms/ });
  const activation = Number(/Activation: (\d+)ms/.exec(await times.first().textContent())[1]);
  console.error(`activation took ${activation} ms`);
  assert.ok(activation <= 250, `activation took ${activation} ms`);
  await until('the chord opens the panel', async () => {
    await workbench.execute('workbench.action.closeAuxiliaryBar');
    for (const key of keybindings[0].key.split(' ')) await workbench.page.keyboard.press(key.replace('ctrl', 'Control').replace('shift', 'Shift'));
    return workbench.page.locator('.part.auxiliarybar .pane-header', { hasText: 'Changes' }).first().isVisible();
  });
});
