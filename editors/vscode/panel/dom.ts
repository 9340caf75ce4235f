// Making elements. Text always becomes a text node: nothing in the panel is ever parsed as HTML.

import { icons, type IconName } from './icons';

type Child = Node | string | undefined | false;
type Attributes = Record<string, string | boolean | undefined | ((event: never) => void)>;

/** An element. An attribute that is a function listens to the event of that name; `undefined` and `false` leave one out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value as EventListener);
    else if (value === true) made.setAttribute(name, '');
    else if (typeof value === 'string') made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

/** A `div` of a class. */
export function div(kind: string, ...children: Child[]): HTMLElement {
  return element('div', { class: kind || undefined }, ...children);
}

/** A `span` of a class. */
export function span(kind: string, ...children: Child[]): HTMLElement {
  return element('span', { class: kind || undefined }, ...children);
}

const drawn = new Map<IconName, Element>();

/** A codicon, hidden from screen readers: what it stands for is always said in words too. */
export function icon(name: IconName, extra = ''): Element {
  let drawing = drawn.get(name);
  if (!drawing) {
    drawing = new DOMParser().parseFromString(icons[name], 'image/svg+xml').documentElement;
    drawing.setAttribute('aria-hidden', 'true');
    drawn.set(name, drawing);
  }
  const copy = document.importNode(drawing, true);
  copy.setAttribute('class', `icon ${extra}`.trim());
  return copy;
}

/** A button of icon and label; with `quiet` the label is only heard and shown as a tooltip. */
export function button(
  label: string,
  press: (event: MouseEvent) => void,
  options: { icon?: IconName; quiet?: boolean; class?: string; title?: string } = {},
): HTMLButtonElement {
  return element(
    'button',
    {
      type: 'button',
      class: options.class ?? (options.quiet ? 'action' : 'button'),
      'aria-label': options.icon ? label : undefined,
      title: options.title ?? (options.quiet ? label : undefined),
      click: press,
    },
    options.icon && icon(options.icon),
    !options.quiet && span('', label),
  );
}

/** Draws a place anew. Who stood on one of its buttons stands on the one of the same name, or on the first. */
export function redraw(place: HTMLElement, draw: () => void): void {
  const name = (one: Element) => one.getAttribute('aria-label') ?? one.textContent;
  const active = document.activeElement;
  const focused = active && active !== place && place.contains(active) ? name(active) : undefined;
  draw();
  if (focused === undefined) return;
  const buttons = [...place.querySelectorAll('button')];
  (buttons.find((candidate) => name(candidate) === focused) ?? buttons[0])?.focus();
}

/** Shows or hides, and says whether that changed anything. */
export function show(target: HTMLElement, visible: boolean): boolean {
  if (target.hidden !== visible) return false;
  target.hidden = !visible;
  return true;
}
