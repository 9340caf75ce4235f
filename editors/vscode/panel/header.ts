// The head of the panel: what the session is called, what it does, for how long, and the one way to stop it that is always there.

import type { ConnectionMessage } from '../src/messages';
import type { Bridge } from './bridge';
import { button, element, icon, show, span } from './dom';
import type { IconName } from './icons';
import { isRunning, type SessionState } from './state';
import { clock, type Words } from './words';

const ICONS: Record<string, IconName> = {
  idle: 'circle', thinking: 'loading', running: 'loading', waiting: 'warning', stopping: 'loading', stopped: 'debugStop', failed: 'error',
  starting: 'loading', disconnected: 'error',
};

/** The head of the panel. */
export class Header {
  readonly element: HTMLElement;
  readonly #title: HTMLButtonElement;
  readonly #state = span('status');
  readonly #elapsed = span('elapsed');
  readonly #stop: HTMLButtonElement;
  #current: SessionState | undefined;
  #shown = '';

  constructor(bridge: Bridge, private readonly words: Words, stop: () => void) {
    const back = button(words.say('sessions'), () => bridge.command('pilotfish.sessions.focus'), { icon: 'chevronLeft', quiet: true });
    this.#title = element('button', { type: 'button', class: 'name', title: `${words.say('rename')} (F2)`, click: () => bridge.command('pilotfish.renameSession') });
    this.#stop = button(words.say('stopTurn'), stop, { icon: 'debugStop', class: 'action stop' });
    this.element = element('header', { class: 'header' }, back, this.#title, this.#state, this.#elapsed, this.#stop);
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'F2') bridge.command('pilotfish.renameSession');
    });
    setInterval(() => this.#tick(), 1000);
  }

  /** Draws what is so now. */
  draw(state: SessionState | undefined, connection: ConnectionMessage['state']): void {
    this.#current = state;
    this.element.hidden = state === undefined;
    if (!state) return;
    const { title, status } = state.session;
    const lost = connection === 'ready' ? undefined : connection === 'starting' ? 'starting' : 'disconnected';
    const word = lost ?? status.state;
    if (this.#title.textContent !== title) this.#title.textContent = title;
    const text = lost ? this.words.say(lost) : status.text;
    if (this.#shown !== `${word} ${text}`) {
      this.#shown = `${word} ${text}`;
      const drawing = ICONS[word] ?? 'circle';
      this.#state.className = `status ${word}`;
      this.#state.replaceChildren(icon(drawing, drawing === 'loading' ? 'spin' : ''), span('', text));
      this.#state.title = text;
    }
    show(this.#stop, !lost && isRunning(state) && status.state !== 'stopping');
    this.#tick();
  }

  #tick(): void {
    const started = this.#current?.turnStartedAt;
    const text = started && isRunning(this.#current) ? clock(Date.now() - started) : '';
    if (this.#elapsed.textContent === text) return;
    this.#elapsed.textContent = text;
    this.#elapsed.title = text && this.words.say('elapsed', text);
  }
}
