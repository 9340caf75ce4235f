// Code in the theme's colours. The library names the words; the colours are in code.css.

import highlighter from 'highlight.js/lib/common';

/** More than this is not coloured: it would be felt. */
const MAX_COLOURED = 50_000;

/** The text, coloured where its language is known. */
export function highlighted(text: string, language: string): Node {
  if (text.length > MAX_COLOURED || !highlighter.getLanguage(language)) return document.createTextNode(text);
  return spans(highlighter.highlight(text, { language, ignoreIllegals: true }).value);
}

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'" };

/** The library writes spans with a class, ends of spans and escaped text, and nothing else; anything else would be shown as text. */
export function spans(marked: string): DocumentFragment {
  const made = document.createDocumentFragment();
  let parent: Node = made;
  for (const [part] of marked.matchAll(/<span class="[^"]*">|<\/span>|[^<]+|</g)) {
    const name = /^<span class="([^"]*)">$/.exec(part)?.[1];
    if (name !== undefined) {
      const span = document.createElement('span');
      span.className = name;
      parent = parent.appendChild(span);
    } else if (part === '</span>') parent = parent.parentNode ?? made;
    else parent.appendChild(document.createTextNode(part.replace(/&(amp|lt|gt|quot|#x27);/g, (entity) => ENTITIES[entity] ?? entity)));
  }
  return made;
}
