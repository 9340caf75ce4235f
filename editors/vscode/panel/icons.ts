// The codicons in use, bundled as drawings so that no font has to be loaded.

import account from '@vscode/codicons/src/icons/account.svg';
import add from '@vscode/codicons/src/icons/add.svg';
import arrowDown from '@vscode/codicons/src/icons/arrow-down.svg';
import arrowUp from '@vscode/codicons/src/icons/arrow-up.svg';
import check from '@vscode/codicons/src/icons/check.svg';
import checklist from '@vscode/codicons/src/icons/checklist.svg';
import chevronDown from '@vscode/codicons/src/icons/chevron-down.svg';
import chevronLeft from '@vscode/codicons/src/icons/chevron-left.svg';
import chevronRight from '@vscode/codicons/src/icons/chevron-right.svg';
import circle from '@vscode/codicons/src/icons/circle-large.svg';
import circleFilled from '@vscode/codicons/src/icons/circle-filled.svg';
import close from '@vscode/codicons/src/icons/close.svg';
import copy from '@vscode/codicons/src/icons/copy.svg';
import debugStop from '@vscode/codicons/src/icons/debug-stop.svg';
import diff from '@vscode/codicons/src/icons/diff-multiple.svg';
import discard from '@vscode/codicons/src/icons/discard.svg';
import edit from '@vscode/codicons/src/icons/edit.svg';
import error from '@vscode/codicons/src/icons/error.svg';
import eye from '@vscode/codicons/src/icons/eye.svg';
import file from '@vscode/codicons/src/icons/file.svg';
import fold from '@vscode/codicons/src/icons/fold.svg';
import goToFile from '@vscode/codicons/src/icons/go-to-file.svg';
import image from '@vscode/codicons/src/icons/file-media.svg';
import info from '@vscode/codicons/src/icons/info.svg';
import listSelection from '@vscode/codicons/src/icons/list-selection.svg';
import loading from '@vscode/codicons/src/icons/loading.svg';
import lock from '@vscode/codicons/src/icons/lock.svg';
import question from '@vscode/codicons/src/icons/question.svg';
import search from '@vscode/codicons/src/icons/search.svg';
import send from '@vscode/codicons/src/icons/arrow-up.svg';
import shield from '@vscode/codicons/src/icons/shield.svg';
import symbol from '@vscode/codicons/src/icons/symbol-method.svg';
import terminal from '@vscode/codicons/src/icons/terminal.svg';
import thinking from '@vscode/codicons/src/icons/lightbulb.svg';
import unlock from '@vscode/codicons/src/icons/unlock.svg';
import warning from '@vscode/codicons/src/icons/warning.svg';

/** The drawings by name. */
export const icons = {
  account, add, arrowDown, arrowUp, check, checklist, chevronDown, chevronLeft, chevronRight, circle, circleFilled, close, copy, debugStop,
  diff, discard, edit, error, eye, file, fold, goToFile, image, info, listSelection, loading, lock, question, search, send, shield, symbol,
  terminal, thinking, unlock, warning,
};

/** One of them. */
export type IconName = keyof typeof icons;
