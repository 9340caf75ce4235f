// What a screen reader hears: one sentence for each event that matters, never for a word that arrives.

import { element } from './dom';

/** A region that is only heard. */
export class Announcer {
  readonly element = element('div', { class: 'hear', role: 'status', 'aria-live': 'polite' });
  readonly #waiting: string[] = [];
  #busy = false;

  /** Says a sentence, after those that were said before. */
  say(sentence: string): void {
    this.#waiting.push(sentence);
    if (!this.#busy) this.#next();
  }

  #next(): void {
    const sentence = this.#waiting.shift();
    this.#busy = sentence !== undefined;
    if (sentence === undefined) return;
    this.element.replaceChildren(element('p', {}, sentence));
    setTimeout(() => this.#next(), 150);
  }
}
