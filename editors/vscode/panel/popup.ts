// Small boxes that open over the panel because the person pressed something: the mode's question and the meter's table.

import { element } from './dom';

let open: { box: HTMLElement; close: (focus: boolean) => void } | undefined;

/** Closes the box that is open, if one is. */
export function closePopup(): boolean {
  if (!open) return false;
  open.close(true);
  return true;
}

/** Opens a box next to what was pressed, or closes it when it was open there. The first thing in it has the focus. */
export function popup(owner: HTMLElement, label: string, content: Node[]): void {
  const same = owner.getAttribute('aria-expanded') === 'true';
  open?.close(false);
  if (same) return;
  const box = element('div', { class: 'popup', role: 'dialog', 'aria-label': label, tabindex: '-1' }, ...content);
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
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    close(true);
  });
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
