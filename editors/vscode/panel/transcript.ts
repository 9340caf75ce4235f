// The transcript: a window of at most 200 drawn items over all that were read, older pages on demand, and the reader's place, which nothing
// but the reader moves. It is followed only while its end is in sight.

import type { Item, ItemPage } from '../src/protocol';
import type { Anchor } from './bridge';
import { button, div, element, show } from './dom';
import { itemView, type ItemContext, type ItemView } from './items';
import { drawnStretches } from './window';

const PAGE = 100;
const STRETCH = 50;
const MAX_DRAWN = 200;
const NEAR_END = 48;
const GUESSED_HEIGHT = 60;
/** So long after a key, a wheel or a press a scroll is the reader's, in milliseconds. */
const BY_HAND = 400;
const PINNED = 1500;
/** How many pages are read to find where the reader was. */
const MAX_SEARCHED_PAGES = 40;

interface Stretch {
  element: HTMLElement;
  items: Item[];
  views?: Map<string, ItemView>;
  height: number;
}

/** Reads the page before an item, or the newest. */
export type LoadPage = (before: string | undefined, limit: number) => Promise<ItemPage>;

/** The transcript's elements and where the reader is in it. */
export class Transcript {
  readonly element: HTMLElement;
  readonly #scroller: HTMLElement;
  readonly #list: HTMLElement;
  readonly #earlier: HTMLElement;
  readonly #toEnd: HTMLButtonElement;
  #stretches: Stretch[] = [];
  #home = new Map<string, Stretch>();
  #before: string | undefined;
  #loading = false;
  #following = true;
  #missed = 0;
  #frame = 0;
  #generation = 0;
  /** How large all was when it was last in place. */
  #size = '';
  #touchedAt = -Infinity;
  #place: Anchor | undefined;
  /** What must stay in place while sizes that were guessed become true, and until when. */
  #pin: { anchor: Anchor; until: number } | undefined;

  /** `moved` is told when the reader's place changed. */
  constructor(private readonly context: ItemContext, private readonly load: LoadPage, private readonly moved: () => void) {
    const { words } = context;
    this.#earlier = element('div', { class: 'earlier', hidden: true }, words.say('loadEarlier'));
    this.#list = div('items');
    this.#scroller = element(
      'div',
      { class: 'scroller', role: 'log', 'aria-live': 'off', 'aria-label': words.say('transcript'), tabindex: '-1' },
      this.#earlier,
      this.#list,
    );
    this.#toEnd = button(words.say('toEnd'), () => this.toEnd(), { icon: 'arrowDown', class: 'to-end' });
    this.#toEnd.hidden = true;
    this.element = div('transcript', this.#scroller, this.#toEnd);
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#scroller.addEventListener('keydown', (event) => this.#pressed(event));
    for (const hand of ['wheel', 'pointerdown', 'pointermove', 'keydown', 'touchmove']) {
      this.#scroller.addEventListener(hand, (event) => this.#touched(event), { passive: true });
    }
    const resized = new ResizeObserver(() => this.#settle());
    resized.observe(this.#scroller);
    resized.observe(this.#list);
  }

  /** Begins anew with the newest page, at the reader's place if that is still there. */
  async open(page: ItemPage, anchor: Anchor | undefined): Promise<void> {
    const generation = ++this.#generation;
    this.clear();
    this.#generation = generation;
    this.#prepend(page);
    if (!anchor) return this.toEnd();
    for (let pages = 1; !this.#home.has(anchor.itemId) && this.#before && pages < MAX_SEARCHED_PAGES; pages++) {
      const older = await this.load(this.#before, PAGE);
      if (generation !== this.#generation) return;
      this.#prepend(older);
    }
    const stretch = this.#home.get(anchor.itemId);
    if (!stretch) return this.toEnd();
    this.#following = false;
    this.#draw(stretch);
    this.#restore(anchor);
    this.#update();
    this.#hold(anchor);
  }

  /** Empties it. */
  clear(): void {
    this.#generation++;
    this.#stretches = [];
    this.#home.clear();
    this.#list.replaceChildren();
    this.#before = undefined;
    this.#missed = 0;
    this.#following = true;
    this.#showEarlier();
  }

  /** Whether there is nothing in it. */
  get empty(): boolean {
    return this.#home.size === 0;
  }

  /** An item that is new, or is now this. */
  put(item: Item): void {
    this.#know(item);
    const stretch = this.#home.get(item.id);
    if (stretch) {
      const index = stretch.items.findIndex(({ id }) => id === item.id);
      stretch.items[index] = item;
      stretch.views?.get(item.id)?.update(item);
    } else this.#add(item);
    this.#schedule();
  }

  /** More text of an item. */
  append(itemId: string, text: string): void {
    const stretch = this.#home.get(itemId);
    const item = stretch?.items.find(({ id }) => id === itemId);
    if (!stretch || !item) return;
    if (item.content.kind === 'toolCall') item.content.output += text;
    else if (item.content.kind === 'agentMessage' || item.content.kind === 'reasoning') item.content.text += text;
    stretch.views?.get(itemId)?.append?.(text);
    this.#schedule();
  }

  /** Draws again what depends on more than the item itself. */
  refresh(concerns: (item: Item) => boolean): void {
    for (const { items, views } of this.#stretches) {
      for (const item of views ? items.filter(concerns) : []) views?.get(item.id)?.update(item);
    }
  }

  /** All items that were read. */
  get items(): Item[] {
    return this.#stretches.flatMap(({ items }) => items);
  }

  /** Goes to the end and stays there. */
  toEnd(): void {
    this.#pin = undefined;
    this.#following = true;
    this.#update();
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#told();
  }

  /** Where the reader is; absent at the end. */
  get anchor(): Anchor | undefined {
    // A page that is being put away has no sizes any more: the reader is where they were.
    if (this.#scroller.clientHeight > 0) this.#place = this.#following ? undefined : (this.#pinned ?? this.#firstInSight());
    return this.#place;
  }

  /** Puts the focus on the last message that has words. */
  focusLast(): void {
    const articles = this.#articles();
    this.#byHand();
    articles.at(-1)?.focus({ preventScroll: this.#following });
  }

  /** A call that changed files is told by what it changed. */
  #know({ content }: Item): void {
    const callId = content.kind === 'edit' ? content.callId : undefined;
    if (callId === undefined || this.context.edited.has(callId)) return;
    this.context.edited.add(callId);
    this.refresh((item) => item.content.kind === 'toolCall' && item.content.callId === callId);
  }

  #add(item: Item): void {
    let stretch = this.#stretches.at(-1);
    if (!stretch || stretch.items.length >= STRETCH) {
      stretch = this.#stretch([]);
      this.#stretches.push(stretch);
      this.#list.append(stretch.element);
      if (this.#following) this.#draw(stretch);
    }
    stretch.items.push(item);
    this.#home.set(item.id, stretch);
    if (stretch.views) stretch.element.append(this.#view(item, stretch.views).element);
    if (!this.#following) this.#missed++;
  }

  #stretch(items: Item[]): Stretch {
    return { element: div('stretch'), items, height: items.length * GUESSED_HEIGHT };
  }

  #prepend(page: ItemPage): void {
    const fresh = page.items.filter(({ id }) => !this.#home.has(id));
    fresh.forEach((item) => this.#know(item));
    const made: Stretch[] = [];
    for (let end = fresh.length; end > 0; end -= STRETCH) made.unshift(this.#stretch(fresh.slice(Math.max(0, end - STRETCH), end)));
    for (const stretch of made) {
      for (const { id } of stretch.items) this.#home.set(id, stretch);
      stretch.element.style.height = `${stretch.height}px`;
    }
    this.#stretches.unshift(...made);
    this.#list.prepend(...made.map((stretch) => stretch.element));
    this.#before = page.before;
    this.#showEarlier();
  }

  #showEarlier(): void {
    this.#earlier.hidden = this.#before === undefined;
  }

  #view(item: Item, views: Map<string, ItemView>): ItemView {
    const view = itemView(item, this.context);
    views.set(item.id, view);
    return view;
  }

  #draw(stretch: Stretch): void {
    if (stretch.views) return;
    const views = (stretch.views = new Map<string, ItemView>());
    stretch.element.style.height = '';
    stretch.element.replaceChildren(...stretch.items.map((item) => this.#view(item, views).element));
  }

  #drop(stretch: Stretch): void {
    if (!stretch.views || stretch.element.contains(document.activeElement)) return;
    stretch.height = stretch.element.offsetHeight;
    stretch.views = undefined;
    stretch.element.replaceChildren();
    stretch.element.style.height = `${stretch.height}px`;
  }

  /** Draws what is near the reader and drops what is far, without moving what is in sight. */
  #update(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    const places = this.#stretches.map(({ element, items }) => ({ top: element.offsetTop, height: element.offsetHeight, count: items.length }));
    const top = this.#following ? scrollHeight - clientHeight : scrollTop;
    const wanted = drawnStretches(places, top, clientHeight, MAX_DRAWN);
    const anchor = this.#following ? undefined : this.anchor;
    let changed = false;
    this.#stretches.forEach((stretch, index) => {
      if (wanted.has(index) === (stretch.views !== undefined)) return;
      changed = true;
      if (wanted.has(index)) this.#draw(stretch);
      else this.#drop(stretch);
    });
    if (changed && anchor) this.#hold(anchor);
  }

  #firstInSight(): Anchor | undefined {
    const edge = this.#scroller.getBoundingClientRect().top;
    for (const { element, views } of this.#stretches) {
      if (!views || element.getBoundingClientRect().bottom <= edge) continue;
      for (const [itemId, view] of views) {
        const { top, bottom } = view.element.getBoundingClientRect();
        if (bottom > edge && bottom > top) return { itemId, offset: top - edge };
      }
    }
    return undefined;
  }

  #restore({ itemId, offset }: Anchor): void {
    const stands = this.#home.get(itemId)?.views?.get(itemId)?.element.getBoundingClientRect().top;
    if (stands === undefined) return;
    this.#scroller.scrollTop += stands - this.#scroller.getBoundingClientRect().top - offset;
  }

  get #pinned(): Anchor | undefined {
    if (this.#pin && performance.now() > this.#pin.until) this.#pin = undefined;
    return this.#pin?.anchor;
  }

  #hold(anchor: Anchor): void {
    this.#pin = { anchor, until: performance.now() + PINNED };
    this.#restore(anchor);
  }

  #scrolled(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    if (clientHeight === 0) return;
    const atEnd = scrollHeight - scrollTop - clientHeight <= NEAR_END;
    // What grows or shrinks scrolls too; only the reader's own hand ends the following.
    const byHand = performance.now() - this.#touchedAt < BY_HAND || this.#size === `${scrollHeight} ${clientHeight}`;
    if (!byHand && (this.#pinned || (this.#following && !atEnd))) return this.#settle();
    this.#following = atEnd;
    this.#told();
    this.#schedule();
  }

  #schedule(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#update();
      this.#settle();
      void this.#loadOlder();
    });
  }

  #touched(event: Event): void {
    if (event instanceof PointerEvent && event.buttons === 0) return;
    this.#byHand();
  }

  #byHand(): void {
    this.#touchedAt = performance.now();
    this.#pin = undefined;
  }

  #settle(): void {
    if (this.#scroller.clientHeight === 0) return;
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    else if (this.#pinned) this.#restore(this.#pinned);
    this.#size = `${this.#scroller.scrollHeight} ${this.#scroller.clientHeight}`;
    this.#told();
  }

  #told(): void {
    if (this.#following) this.#missed = 0;
    const { words } = this.context;
    const label = this.#missed ? words.say('newItems', this.#missed) : words.say('toEnd');
    const text = this.#toEnd.querySelector('span')!;
    if (text.textContent !== label) text.textContent = label;
    show(this.#toEnd, !this.#following);
    this.moved();
  }

  async #loadOlder(): Promise<void> {
    if (this.#loading || !this.#before || this.#following || this.#scroller.scrollTop > this.#scroller.clientHeight) return;
    this.#loading = true;
    const generation = this.#generation;
    try {
      const page = await this.load(this.#before, PAGE);
      if (generation !== this.#generation) return;
      const { anchor } = this;
      this.#prepend(page);
      if (anchor) this.#hold(anchor);
      this.#schedule();
    } finally {
      this.#loading = false;
    }
  }

  #articles(): HTMLElement[] {
    return [...this.#list.querySelectorAll<HTMLElement>('article:not([hidden])')];
  }

  #pressed(event: KeyboardEvent): void {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const from = event.target;
    if (!step || !(from instanceof HTMLElement) || from.tagName !== 'ARTICLE') return;
    const articles = this.#articles();
    const next = articles[articles.indexOf(from) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
