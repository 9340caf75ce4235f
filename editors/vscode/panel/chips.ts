// The context that goes along with the next message: what the editor offers by itself, which can be switched off and stays in sight, and
// what the person added.

import type { Chip } from '../src/messages';
import { button, element, icon, span } from './dom';
import { icons, type IconName } from './icons';
import type { InputPart } from '../src/protocol';
import type { Words } from './words';

/** The row of chips. */
export class Chips {
  readonly element = element('div', { class: 'chips', role: 'group' });
  #offered: Chip[] = [];
  #added: Chip[] = [];
  /** Those that the person switched. */
  readonly #switched = new Set<string>();

  constructor(private readonly words: Words, private readonly add: () => void) {
    this.element.setAttribute('aria-label', words.say('addContext'));
    this.#draw();
  }

  /** What the editor offers now. */
  offer(chips: Chip[]): void {
    this.#offered = chips;
    this.#draw();
  }

  /** What the person added. */
  attach(chips: Chip[]): void {
    this.#added = [...this.#added.filter(({ id }) => !chips.some((chip) => chip.id === id)), ...chips];
    this.#draw();
  }

  /** What the person added. */
  get added(): Chip[] {
    return this.#added;
  }

  /** All that goes along. What was added went with this message; what is offered may go again. */
  take(): InputPart[] {
    const parts = [...this.#added, ...this.#offered.filter((chip) => this.#isOn(chip))].map(({ part }) => part);
    this.#added = [];
    this.#draw();
    return parts;
  }

  #isOn({ id, off = false }: Chip): boolean {
    return off === this.#switched.has(id);
  }

  #draw(): void {
    const { words } = this;
    const name = (chip: Chip) => (chip.icon in icons ? (chip.icon as IconName) : 'file');
    const offered = this.#offered.map((chip) => {
      const on = this.#isOn(chip);
      const toggle = () => {
        if (!this.#switched.delete(chip.id)) this.#switched.add(chip.id);
        this.#draw();
        this.element.querySelector<HTMLElement>(`[data-chip="${CSS.escape(chip.id)}"]`)?.focus();
      };
      const title = words.say(on ? 'chipOn' : 'chipOff', chip.label);
      return element(
        'button',
        { type: 'button', class: 'chip offered', 'aria-pressed': String(on), title, 'data-chip': chip.id, click: toggle },
        icon(name(chip)),
        span('', chip.label),
      );
    });
    const added = this.#added.map((chip) => {
      const remove = () => {
        this.#added = this.#added.filter((other) => other !== chip);
        this.#draw();
      };
      const label = words.say('removeChip', chip.label);
      return span('chip', icon(name(chip)), span('', chip.label), button(label, remove, { icon: 'close', quiet: true }));
    });
    this.element.replaceChildren(button(words.say('addContext'), this.add, { icon: 'add', class: 'chip add', title: '@' }), ...added, ...offered);
  }
}

/** Files that were dropped on the panel, as chips. */
export function droppedChips(data: DataTransfer): Chip[] {
  const list = data.getData('application/vnd.code.uri-list') || data.getData('text/uri-list');
  const uris = list.split(/\r?\n/).filter((uri) => uri.startsWith('file:'));
  return uris.map((uri) => ({ id: uri, label: decodeURIComponent(uri.split('/').pop() ?? uri), icon: 'file', part: { type: 'file', uri } }));
}
