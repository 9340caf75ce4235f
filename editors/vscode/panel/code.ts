// Code in the theme's colours. The library names the words; the colours are in code.css.

import highlighter from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import csharp from 'highlight.js/lib/languages/csharp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import go from 'highlight.js/lib/languages/go';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import kotlin from 'highlight.js/lib/languages/kotlin';
import lua from 'highlight.js/lib/languages/lua';
import markdown from 'highlight.js/lib/languages/markdown';
import php from 'highlight.js/lib/languages/php';
import python from 'highlight.js/lib/languages/python';
import ruby from 'highlight.js/lib/languages/ruby';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import swift from 'highlight.js/lib/languages/swift';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';

const LANGUAGES = {
  bash, c, cpp, csharp, css, diff, go, ini, java, javascript, json, kotlin, lua, markdown, php, python, ruby, rust, sql, swift, typescript,
  xml, yaml,
};
for (const [name, language] of Object.entries(LANGUAGES)) highlighter.registerLanguage(name, language);

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
