// The quiet strips between transcript and composer: the plan, commands in the background, the working set and what waits in the queue. Each is one line until the person wants more, and none is there without a reason.

import type { ReviewFile } from '../src/messages';
import type { CommandInfo, Plan, PlanStep, Queued } from '../src/protocol';
import type { Bridge } from './bridge';
import { button, div, element, icon, redraw, span } from './dom';
import { counts } from './edits';
import type { IconName } from './icons';
import { partLabel } from './items';
import { clock, type Words } from './words';

const STEP_ICONS: Record<PlanStep['status'], IconName> = { pending: 'circle', in_progress: 'chevronRight', completed: 'check' };

/** A strip that is redrawn as a whole when what it shows is another thing. */
export class Strip<T> {
  readonly element: HTMLElement;
  #shown: T | undefined;

  constructor(kind: string, label: string, private readonly fill: (value: T) => (Node | string)[]) {
    this.element = element('section', { class: `strip ${kind}`, 'aria-label': label, hidden: true });
  }

  draw(value: T): void {
    if (value === this.#shown) return;
    this.#shown = value;
    const children = this.fill(value);
    redraw(this.element, () => {
      this.element.hidden = children.length === 0;
      this.element.replaceChildren(...children);
    });
  }

  /** Draws the same again, as when it was unfolded. */
  again(): void {
    const value = this.#shown;
    this.#shown = undefined;
    if (value !== undefined) this.draw(value);
  }
}

function step(one: PlanStep, words: Words): HTMLElement {
  return element(
    'li',
    { class: `step ${one.status}` },
    icon(STEP_ICONS[one.status]),
    span('hear', words.say(`step.${one.status}`)),
    span('words', one.step),
  );
}

/** The model's plan: where it is, and all steps when unfolded. */
export function planStrip(words: Words): Strip<Plan> {
  let open = false;
  const strip: Strip<Plan> = new Strip('plan', words.say('plan'), ({ steps }) => {
    if (steps.length === 0) return [];
    const done = steps.filter(({ status }) => status === 'completed').length;
    const current = steps.find(({ status }) => status === 'in_progress') ?? steps.find(({ status }) => status === 'pending');
    const press = () => {
      open = !open;
      strip.again();
    };
    const row = element(
      'button',
      { type: 'button', class: 'row', 'aria-expanded': String(open), click: press },
      icon('checklist'),
      span('strong', `${words.say('plan')} ${done}/${steps.length}`),
      span('gist', current?.step ?? ''),
      icon('chevronRight', 'twist'),
    );
    return open ? [row, element('ol', { class: 'steps' }, ...steps.map((one) => step(one, words)))] : [row];
  });
  return strip;
}

/** Commands that run in the background, each with its own stop. */
export function commandStrip(words: Words, bridge: Bridge): Strip<CommandInfo[]> {
  return new Strip('commands', words.say('background'), (commands) =>
    commands
      .filter(({ exitCode }) => exitCode === undefined)
      .map(({ id, sessionId, command, startedAt }) =>
        div('row-line', element(
            'button',
            { type: 'button', class: 'row', title: command, click: () => bridge.post({ type: 'output', sessionId, commandId: id, title: command }) },
            icon('terminal'),
            span('command gist', command),
            element('span', { class: 'faint', 'data-since': startedAt }, clock(Date.now() - Date.parse(startedAt))),
          ),
          button(words.say('stopCommand'), () => void bridge.request('command/stop', { sessionId, commandId: id }).catch(bridge.failed), {
            icon: 'debugStop',
            quiet: true,
          }),
        ),
      ),
  );
}

/** What waits for review, of all files together. */
export function workingSet(words: Words, bridge: Bridge): Strip<ReviewFile[]> {
  return new Strip('working-set', words.say('workingSet'), (files) => {
    const inText = files.filter(({ hunks }) => hunks.some(({ state }) => state !== 'proposed'));
    if (inText.length === 0) return [];
    const sum = (pick: (file: ReviewFile) => number) => inText.reduce((total, file) => total + pick(file), 0);
    const hunks = sum((file) => file.hunks.filter(({ state }) => state !== 'proposed').length);
    return [
      div('row-line', icon('diff'),
        span('words', words.count('files', inText.length)),
        counts(sum(({ added }) => added), sum(({ removed }) => removed)),
        span('faint grow', words.count('hunks', hunks)),
        button(words.say('review'), () => bridge.command('pilotfish.reviewAll')),
        button(words.say('keep'), () => bridge.command('pilotfish.keepAll'), { title: words.say('keepAll') }),
        button(words.say('undoAll'), () => bridge.command('pilotfish.undoAll'), { icon: 'discard', quiet: true, class: 'action apart' }),
      ),
    ];
  });
}

/** What the queue can do with a prompt that waits. */
export interface QueueVerbs {
  edit(queued: Queued): void;
  remove(queued: Queued): void;
  steer(queued: Queued): void;
}

/** Prompts that wait for the running turn. */
export function queueStrip(words: Words, verbs: QueueVerbs): Strip<Queued[]> {
  return new Strip('queue', words.say('queued'), (queue) =>
    queue.map((queued) =>
      div('row-line', span('tag', words.say('queued')),
        span('gist grow', queued.input.map((part) => partLabel(part, words)).join(' ')),
        button(words.say('steerNow'), () => verbs.steer(queued), { icon: 'arrowUp', quiet: true }),
        button(words.say('editQueued'), () => verbs.edit(queued), { icon: 'edit', quiet: true }),
        button(words.say('removeQueued'), () => verbs.remove(queued), { icon: 'close', quiet: true }),
      ),
    ),
  );
}
