// Small boxes that open over the panel because the person pressed something: menus, the mode's question, the meter's table.

import { element, icon } from './dom';
import type { IconName } from './icons';

/** An entry of a menu; `gap` keeps apart what must not be pressed by mistake. */
export type Entry = { label: string; icon: IconName; press: () => void } | 'gap';

let open: { box: HTMLElement; close: (focus: boolean) => void } | undefined;

/** Closes the box that is open, if one is. */
export function closePopup(): boolean {
  if (!open) return false;
  open.close(true);
  return true;
}

/** Opens a box next to what was pressed, or closes it when it was open there. The first thing in it has the focus. */
export function popup(owner: HTMLElement, role: 'menu' | 'dialog', label: string, content: Node[]): void {
  const same = owner.getAttribute('aria-expanded') === 'true';
  open?.close(false);
  if (same) return;
  const box = element('div', { class: `popup ${role}`, role, 'aria-label': label, tabindex: '-1' }, ...content);
  const outside = (event: Event) => {
    const target = event.target as Node;
    if (!box.contains(target) && !owner.contains(target)) close(false);
  };
  const close = (focus: boolean) => {
    open = undefined;
    box.remove();
    owner.setAttribute('aria-expanded', 'false');
    document.removeEventListener('pointerdown', outside, true);
    document.removeEventListener('focusin', outside, true);
    if (focus) owner.focus();
  };
  open = { box, close };
  document.body.append(box);
  place(box, owner);
  owner.setAttribute('aria-expanded', 'true');
  document.addEventListener('pointerdown', outside, true);
  (box.querySelector<HTMLElement>('button, input') ?? box).focus();
  document.addEventListener('focusin', outside, true);
  box.addEventListener('keydown', (event) => pressed(box, event, close));
}

function pressed(box: HTMLElement, event: KeyboardEvent, close: (focus: boolean) => void): void {
  if (event.key === 'Escape') {
    event.preventDefault();
    event.stopPropagation();
    return close(true);
  }
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step || box.getAttribute('role') !== 'menu') return;
  event.preventDefault();
  const entries = [...box.querySelectorAll('button')];
  const next = entries.indexOf(document.activeElement as HTMLButtonElement) + step;
  entries[(next + entries.length) % entries.length]?.focus();
}

/** Above or below the owner, wherever there is more room, and never beyond the edges. */
export function place(box: HTMLElement, owner: HTMLElement): void {
  const at = owner.getBoundingClientRect();
  const margin = 8;
  const left = Math.min(at.left, window.innerWidth - box.offsetWidth - margin);
  box.style.left = `${Math.max(margin, left)}px`;
  const above = at.top > window.innerHeight - at.bottom;
  box.style.maxHeight = `${(above ? at.top : window.innerHeight - at.bottom) - 2 * margin}px`;
  if (above) box.style.bottom = `${window.innerHeight - at.top + 4}px`;
  else box.style.top = `${at.bottom + 4}px`;
}

/** A menu. */
export function menu(owner: HTMLElement, entries: Entry[]): void {
  const items = entries.map((entry) =>
    entry === 'gap'
      ? element('hr')
      : element(
          'button',
          {
            type: 'button',
            role: 'menuitem',
            click: () => {
              closePopup();
              entry.press();
            },
          },
          icon(entry.icon),
          element('span', {}, entry.label),
        ),
  );
  popup(owner, 'menu', owner.title || owner.textContent || '', items);
}
