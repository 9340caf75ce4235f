// What stands in for a conversation: the welcome of an empty session, a missing model, and a daemon that cannot be reached.

import type { ConnectionMessage, SessionMessage } from '../src/messages';
import type { Mode, ModelList } from '../src/protocol';
import type { Bridge } from './bridge';
import { button, div, element, icon, span } from './dom';
import type { Words } from './words';

/** The connection's trouble, in one banner. */
export class Banner {
  readonly element = element('section', { class: 'banner', role: 'alert', hidden: true });

  constructor(private readonly bridge: Bridge, private readonly words: Words) {}

  draw({ state, reason }: ConnectionMessage): void {
    const { words, bridge } = this;
    this.element.hidden = state !== 'stopped' || reason === undefined;
    if (this.element.hidden) return;
    this.element.replaceChildren(
      div('line', icon('error'), span('words', reason ?? '')),
      div('buttons', button(words.say('restart'), () => bridge.command('pilotfish.restart')),
        button(words.say('install'), () => bridge.command('pilotfish.install')),
        button(words.say('showLog'), () => bridge.command('pilotfish.showLog')),
      ),
    );
  }
}

/** What an empty session shows. */
export function welcome(words: Words, bridge: Bridge, mode: Mode, session: SessionMessage | undefined, models: ModelList | undefined): HTMLElement[] {
  if (session && !session.workspace) return [element('p', { class: 'faint' }, words.say('welcome.folder'))];
  const roots = session?.roots ?? [];
  const choose = (path: string) => bridge.post({ type: 'choose', workspace: path });
  const folders = element('select', { class: 'select', 'aria-label': words.say('workspace') });
  folders.append(...roots.map(({ name, path }) => element('option', { value: path, selected: path === session?.workspace }, name)));
  folders.addEventListener('change', () => choose(folders.value));
  return [
    element('h2', {}, words.say('welcome.title')),
    element('p', {}, words.say(mode === 'agent' ? 'welcome.agent' : 'welcome.readOnly')),
    element('p', { class: 'faint' }, words.say('welcome.context')),
    ...(roots.length > 1 && !session?.id ? [element('label', { class: 'choose' }, words.say('workspace'), folders)] : []),
    ...(models?.problem
      ? [div('note', element('p', {}, models.problem), button(words.say('connectModel'), () => bridge.command('pilotfish.connectModel'), { icon: 'account' }))]
      : []),
  ];
}
