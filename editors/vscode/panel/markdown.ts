// The model's Markdown as elements. The library only finds out what is what; the elements are made here, one by one, so that no word of a
// model is ever read as HTML. Pictures become links, and links lead to the web or to a file of the workspace, and nowhere else.

import MarkdownIt, { type Token } from 'markdown-it';
import { highlighted } from './code';
import { button, div, element, span } from './dom';
import type { Words } from './words';

/** Where a press of a link leads. */
export interface Links {
  web(href: string): void;
  /** `line` counts from 1, as people do. */
  file(path: string, line?: number): void;
}

const WEB = /^(https?:|mailto:)/i;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const PATH = /^(?:[\w.@-]+\/)*[\w.@-]*\.[A-Za-z]\w{0,7}(?::(\d+)(?::\d+)?)?$/;

const library = new MarkdownIt({ html: false, linkify: true, breaks: false });
library.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
library.validateLink = (href) => WEB.test(href) || isPath(href);

function isPath(href: string): boolean {
  // A drive letter is no path here, and two slashes begin a host's name.
  return !SCHEME.test(href) && !/^[\\/]{2}/.test(href) && !href.startsWith('#');
}

/** One block of Markdown. */
export function markdown(text: string, links: Links, words: Words): DocumentFragment {
  const made = document.createDocumentFragment();
  build(library.parse(text, {}), made, links, words);
  return made;
}

function build(tokens: Token[], into: Node, links: Links, words: Words): void {
  let parent = into;
  for (const token of tokens) {
    if (token.type === 'inline') build(token.children ?? [], parent, links, words);
    else if (token.nesting < 0) parent = token.hidden ? parent : (parent.parentNode ?? into);
    else if (token.nesting > 0) {
      if (token.hidden) continue;
      const child = container(token, links);
      parent.appendChild(child);
      parent = child;
    } else parent.appendChild(leaf(token, links, words));
  }
}

const TAGS = new Set(['p', 'ul', 'ol', 'li', 'blockquote', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'strong', 'em', 's']);

function container(token: Token, links: Links): HTMLElement {
  if (token.tag === 'a') return link(String(token.attrGet('href') ?? ''), links);
  // Headings of an answer come below those of the panel.
  if (/^h\d$/.test(token.tag)) return element('h4', { class: `heading-${token.tag[1]}` });
  const made = element((TAGS.has(token.tag) ? token.tag : 'div') as 'div');
  const start = token.attrGet('start');
  if (start !== null) made.setAttribute('start', String(start));
  const align = /text-align:(\w+)/.exec(String(token.attrGet('style') ?? ''))?.[1];
  if (align) made.classList.add(`align-${align}`);
  return made;
}

function leaf(token: Token, links: Links, words: Words): Node {
  switch (token.type) {
    case 'code_inline':
      return inlineCode(token.content, links);
    case 'fence':
    case 'code_block':
      return codeBlock(token.content, token.info.trim().split(/\s/)[0] ?? '', words);
    case 'softbreak':
      return document.createTextNode('\n');
    case 'hardbreak':
      return element('br');
    case 'hr':
      return element('hr');
    case 'image': {
      const source = String(token.attrGet('src') ?? '');
      const label = `${words.say('image')}: ${token.content || source}`;
      if (!WEB.test(source)) return document.createTextNode(label);
      const made = link(source, links);
      made.append(label);
      return made;
    }
    default:
      return document.createTextNode(token.content);
  }
}

/** A link is a button in all but looks: it has no `href` that anything but us could follow. */
function link(href: string, links: Links): HTMLElement {
  const press = () => {
    if (WEB.test(href)) return links.web(href);
    const [path, place] = decode(href).split('#');
    const line = /(?:L|:)(\d+)/.exec(place ?? '')?.[1] ?? /:(\d+)$/.exec(path!)?.[1];
    links.file(path!.replace(/:\d+$/, ''), line ? Number(line) : undefined);
  };
  const made = element('a', { role: 'link', tabindex: '0', title: href, click: press });
  made.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') press();
  });
  return made;
}

function decode(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}

function inlineCode(text: string, links: Links): HTMLElement {
  const code = element('code', {}, text);
  const found = PATH.exec(text);
  if (!found || (!text.includes('/') && !found[1])) return code;
  const made = link(encodeURI(text), links);
  made.title = text;
  made.append(code);
  return made;
}

/** A block of code with its language and a button to copy it. */
export function codeBlock(text: string, language: string, words: Words): HTMLElement {
  const code = element('code');
  code.append(highlighted(text.replace(/\n$/, ''), language));
  const copy = button(words.say('copy'), () => void copied(copy, code.textContent ?? '', words), { icon: 'copy', quiet: true });
  return div('code', div('code-head', span('', language), copy),
    element('pre', { tabindex: '0' }, code),
  );
}

async function copied(copy: HTMLButtonElement, text: string, words: Words): Promise<void> {
  await navigator.clipboard.writeText(text);
  copy.title = words.say('copied');
  copy.classList.add('done');
  setTimeout(() => {
    copy.title = words.say('copy');
    copy.classList.remove('done');
  }, 1500);
}
