// Finds the program on this machine and starts its shim. It knows no protocol.

import * as vscode from 'vscode';
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Why the daemon cannot be spoken to, in words for people that say how to mend it. */
export class Unavailable extends Error {}

/** The path of the program; throws {@link Unavailable} when there is none. */
export function findProgram(): string {
  const configured = vscode.workspace.getConfiguration('pilotfish').get<string>('path', '').trim();
  if (configured) {
    const path = configured.replace(/^~(?=\/)/, homedir());
    if (isProgram(path)) return path;
    throw new Unavailable(
      vscode.l10n.t('The setting pilotfish.path names {0}, which is not there or is no program. Change the setting, or empty it to search.', path),
    );
  }
  const program = folders().map((folder) => join(folder, name())).find(isProgram);
  if (program) return program;
  throw new Unavailable(
    vscode.l10n.t('The program pilotfish is not installed: it is not in PATH, ~/.cargo/bin or ~/.local/bin. Install it, or say in the setting pilotfish.path where it is.'),
  );
}

/** Starts the shim; what it writes to stderr goes to `says`. Throws {@link Unavailable} when it does not start. */
export async function startShim(program: string, says: (line: string) => void): Promise<ChildProcess> {
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
  const shim = spawn(program, ['lsp'], { cwd: folder?.uri.fsPath ?? homedir(), stdio: 'pipe' });
  await new Promise<void>((resolve, reject) => {
    shim.once('spawn', resolve);
    shim.once('error', (error) => {
      reject(new Unavailable(vscode.l10n.t('{0} could not be started: {1}', program, error.message)));
    });
  });
  shim.stderr.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) if (line.trim()) says(line);
  });
  return shim;
}

function folders(): string[] {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return [...path, join(homedir(), '.cargo/bin'), join(homedir(), '.local/bin'), '/usr/local/bin', '/opt/homebrew/bin'];
}

function name(): string {
  return process.platform === 'win32' ? 'pilotfish.exe' : 'pilotfish';
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
