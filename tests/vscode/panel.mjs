// The panel's page by itself, in a headless browser: what a hostile model writes stays text, only the card answers questions, what streams
// moves nothing, long conversations stay quick, a page that is loaded again is where it was, and everything can be used by keyboard and
// by ear in every theme. `node tests/vscode/panel.mjs [NAME…]` runs some of it.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { ago, PanelPage, PlayedHost } from './page.mjs';
import * as scene from './scene.mjs';
import { browser, THEMES, until } from './workbench.mjs';

const chrome = await browser();
const wanted = process.argv.slice(2);
let failed = 0;

async function check(name, body) {
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) return;
  const pages = [];
  const open = async (parts, options) => {
    const page = await PanelPage.open(new PlayedHost(parts), { chrome, ...options });
    pages.push(page);
    return page;
  };
  try {
    const said = await body(open);
    for (const page of pages) assert.deepEqual(page.errors, [], 'errors in the console');
    console.error(`ok ${name}${said ? `: ${said}` : ''}`);
  } catch (error) {
    failed++;
    console.error(`FAILED ${name}\n${error.stack}`);
  } finally {
    await Promise.all(pages.map((page) => page.close().catch(() => undefined)));
  }
}

/** Measures until it is quick enough, five times at most. Where more work waits than there are processors, each share is smaller. */
async function quick(most, what, measure) {
  const limit = most * Math.max(1, loadavg()[0] / cpus().length);
  let best = Infinity;
  for (let turn = 0; turn < 5 && best > limit; turn++) best = Math.min(best, await measure());
  assert.ok(best <= limit, `${what}: ${best} ms`);
  return best;
}

const item = (id, content, turnId = 't1') => ({ id, turnId, at: ago(5), content });
const durable = (seq, update) => ({ sessionId: 's1', seq, update });
const passing = (update) => ({ sessionId: 's1', update });
const sentOf = (page, method) => page.sent.filter((message) => message.method === method).map(({ params }) => params);
/** One frame and what it brings. */
const settled = (page) => page.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

await check('a model cannot reach the network', async (open) => {
  const heard = [];
  const listener = createServer((request, response) => {
    heard.push(request.url);
    response.end();
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const leak = `http://127.0.0.1:${listener.address().port}`;
  const text = [
    `![secret](${leak}/?q=image)`,
    `<img src="${leak}/?q=html"><iframe src="${leak}/frame"></iframe><script>fetch("${leak}/script")</script>`,
    `<style>body{background:url(${leak}/style)}</style><link rel="stylesheet" href="${leak}/link">`,
    `<svg onload="fetch('${leak}/svg')"></svg><a href="x" onmouseover="fetch('${leak}/over')">over</a>`,
    '```html\n<img src="' + leak + '/code">\n```',
    '`<img src=' + leak + '/inline>`',
  ].join('\n\n');
  const tool = { kind: 'toolCall', callId: 'c', name: 'shell', title: `$ <img src=${leak}/title>`, input: '{}', output: `<img src="${leak}/output">\n`, status: 'running' };
  const page = await open({
    items: [item('i1', { kind: 'userMessage', input: [{ type: 'text', text }] }), item('i2', { kind: 'agentMessage', text, completion: 'whole' }), item('i3', tool), item('i4', { kind: 'notice', text, audience: 'both' })],
    plan: { steps: [{ step: `<img src="${leak}/plan">`, status: 'in_progress' }] },
    approvals: [{ ...scene.approval, title: text, detail: text, reason: text, segments: [] }],
    session: { title: `<img src="${leak}/session">` },
  });
  await page.update(durable(11, { kind: 'itemStarted', item: item('i5', { kind: 'agentMessage', text: '', completion: 'open' }) }), passing({ kind: 'itemDelta', itemId: 'i5', text: `${text}\n\nmore` }));
  await page.page.waitForSelector('[data-item="i5"] .open-text');
  assert.equal(await page.page.locator('.item img, .item iframe, .item style, .item link, .item script, .card img, .strip img, .header img').count(), 0);
  // Were the page to try all the same, its policy stops it.
  const tried = await page.page.evaluate(async (url) => {
    const image = new Image();
    image.src = `${url}/direct`;
    document.body.append(image);
    return fetch(`${url}/fetch`).then(() => 'reached', () => 'stopped');
  }, leak);
  assert.equal(tried, 'stopped');
  await page.page.waitForTimeout(300);
  assert.deepEqual(heard, []);
  assert.ok(page.errors.length > 0 && page.errors.every((error) => error.includes('Content Security Policy')), page.errors.join('\n'));
  page.errors = [];
  listener.close();
});

await check('links lead to the web or to a file, and nowhere else', async (open) => {
  const hrefs = ['command:workbench.action.quit', 'vscode://x/y', 'file:///etc/passwd', 'javascript:alert(1)', 'data:text/html,x', 'vscode-webview://x', '//evil.example/x', 'COMMAND:x', 'c&#111;mmand&#58;x', ' command:x'];
  const text = hrefs.map((href, index) => `[bad${index}](<${href}>) <${href}>`).join('\n\n') + '\n\n[web](https://example.org/a?b=c) [file](src/watch.rs#L12) `src/clock.rs:7`\n\n[ref]\n\n[ref]: command:x';
  const page = await open({ items: [item('i1', { kind: 'agentMessage', text, completion: 'whole' })] });
  const links = page.page.locator('.item a');
  for (let index = 0; index < (await links.count()); index++) await links.nth(index).click();
  assert.equal(await page.page.locator('.item [href]').count(), 0);
  const said = page.sent.filter(({ type }) => !['ready', 'request'].includes(type));
  const odd = said.filter(({ type, href, path }) => !(type === 'link' && /^https:\/\/example\.org\//.test(href)) && !(type === 'open' && /^src\/(watch|clock)\.rs$/.test(path)));
  assert.deepEqual(odd, []);
  assert.deepEqual(said.map(({ type, line }) => [type, line]), [['link', undefined], ['open', 12], ['open', 7]]);
});

await check('only the card answers', async (open) => {
  const page = await open({ ...scene.busy(), approvals: [scene.approval], answers: { 'rule/preview': scene.preview } });
  await page.page.click('.composer .field');
  for (const key of ['1', '2', '3', '4', 'y', 'Enter', 'Control+Enter', 'Escape']) await page.page.keyboard.press(key);
  assert.deepEqual(sentOf(page, 'approval/answer'), [], 'typing in the composer');
  await page.tell({ type: 'focus', target: 'approval' });
  await page.page.waitForFunction(() => document.activeElement.matches('.card:has(button:enabled)'));
  await page.page.keyboard.press('Enter');
  assert.deepEqual(sentOf(page, 'approval/answer'), [], 'Enter on the card');
  await page.page.keyboard.press('3');
  await page.page.waitForSelector('.rule .select');
  await page.page.waitForFunction(() => document.querySelector('.card').textContent.includes('rules.toml'));
  assert.deepEqual(sentOf(page, 'rule/preview').at(-1), { approvalId: 's1.i20', rule: scene.approval.rule });
  assert.match(await page.page.textContent('.card .rule'), /\["git", "push", "origin", "fix\/debounce"\]/);
  await page.page.selectOption('.rule dd >> nth=1 >> .select', { label: 'git push origin …' });
  await until('the wider rule is shown', () => page.page.textContent('.card .rule').then((text) => text.includes('git push origin anything')));
  await page.page.click('.card .button >> text=Save and Run');
  const [answer] = sentOf(page, 'approval/answer');
  assert.deepEqual(answer, { approvalIds: ['s1.i20'], decision: { kind: 'always', rule: { ...scene.approval.rule, argv: ['git', 'push', 'origin'], prefix: true } } });
  await page.update(durable(11, { kind: 'approvalClosed', approvalId: 's1.i20', by: 'n2', decision: { kind: 'once' } }));
  await page.page.waitForSelector('.card', { state: 'hidden' });
});

await check('a refusal takes a sentence along', async (open) => {
  const page = await open({ ...scene.busy(), approvals: [scene.approval] });
  await page.tell({ type: 'focus', target: 'approval' });
  await page.page.waitForFunction(() => document.activeElement.matches('.card:has(button:enabled)'));
  await page.page.keyboard.press('4');
  await page.page.keyboard.type('1 is not wanted');
  await page.page.keyboard.press('Enter');
  assert.deepEqual(sentOf(page, 'approval/answer'), [{ approvalIds: ['s1.i20'], decision: { kind: 'deny' }, note: '1 is not wanted' }]);
});

await check('equal questions are answered together', async (open) => {
  const page = await open({ ...scene.busy(), approvals: [scene.approval, { ...scene.approval, id: 's1.i21' }, { ...scene.approval, id: 's1.i22', title: 'another' }] });
  await page.page.click('.card .button >> text=Run Once');
  assert.deepEqual(sentOf(page, 'approval/answer'), [{ approvalIds: ['s1.i20', 's1.i21'], decision: { kind: 'once' } }]);
});

await check('a question of the model is answered', async (open) => {
  const page = await open({ ...scene.proposal(), openItems: [scene.question] });
  await page.tell({ type: 'focus', target: 'approval' });
  await page.page.waitForFunction(() => document.activeElement.matches('.card:has(button:enabled)'));
  await page.page.keyboard.press('2');
  assert.deepEqual(sentOf(page, 'question/answer'), [{ sessionId: 's1', itemId: 'i30', choice: 1 }]);
});

await check('what streams moves nothing and ends as if it had come whole', async (open) => {
  const whole = await open({ items: [item('i1', { kind: 'agentMessage', text: scene.answer, completion: 'whole' })] });
  const text = (page) => page.page.evaluate(() => document.querySelector('[data-item="i1"] .markdown').innerHTML);
  const page = await open({});
  await page.update(durable(11, { kind: 'itemStarted', item: item('i1', { kind: 'agentMessage', text: '', completion: 'open' }) }));
  const tops = new Map();
  for (let start = 0; start < scene.answer.length; start += 7) {
    await page.update(passing({ kind: 'itemDelta', itemId: 'i1', text: scene.answer.slice(start, start + 7) }));
    const now = await page.page.evaluate(() => [...document.querySelectorAll('.block:not(.open-text, .open-code)')].map((block) => block.offsetTop));
    for (const [index, top] of now.entries()) {
      assert.equal(top, tops.get(index) ?? top, `block ${index} stays`);
      tops.set(index, top);
    }
  }
  await page.update(durable(12, { kind: 'itemEnded', item: item('i1', { kind: 'agentMessage', text: scene.answer, completion: 'whole' }) }));
  await settled(page);
  assert.equal(await text(page), await text(whole));
  assert.ok(tops.size >= 5);
});

await check('an open block is one text node', async (open) => {
  const page = await open({});
  await page.update(durable(11, { kind: 'itemStarted', item: item('i1', { kind: 'agentMessage', text: 'One', completion: 'open' }) }));
  await page.page.waitForSelector('.open-text');
  await page.page.evaluate(() => (window.kept = document.querySelector('.open-text').firstChild));
  for (let index = 0; index < 50; index++) await page.update(passing({ kind: 'itemDelta', itemId: 'i1', text: ` word${index}` }));
  assert.ok(await page.page.evaluate(() => window.kept === document.querySelector('.open-text').firstChild && window.kept.data.endsWith('word49') && document.querySelector('.open-text').childNodes.length === 1));
});

function long(count) {
  return Array.from({ length: count }, (_, index) => {
    const kind = index % 10;
    if (kind === 0) return item(`i${index}`, { kind: 'userMessage', input: [{ type: 'text', text: `Question ${index}\nin two lines` }] });
    if (kind < 6) return item(`i${index}`, { kind: 'toolCall', callId: 'c', name: 'read', title: `read src/file${index}.rs`, input: '{}', output: 'x\n'.repeat(40), status: 'done', durationMs: index });
    return item(`i${index}`, { kind: 'agentMessage', text: `Answer ${index}. ${'Words that fill a line or two. '.repeat(1 + (index % 9))}\n\n\`\`\`rust\nfn answer() -> u32 { ${index} }\n\`\`\``, completion: 'whole' });
  });
}

await check('two thousand items open at once and scroll', async (open) => {
  const page = await open({ items: long(2000) });
  const began = Date.now();
  await page.page.reload();
  await page.page.waitForSelector('[data-item="i1999"]');
  const whole = Date.now() - began;
  const opened = await page.page.evaluate(() => performance.getEntriesByType('paint').map(({ startTime }) => startTime));
  assert.ok(whole <= 5000, `${whole} ms with the reload of the page`);
  const scroller = page.page.locator('.scroller');
  let most = 0;
  for (let turn = 0; turn < 120 && !(await page.page.$('[data-item="i0"]')); turn++) {
    await scroller.evaluate((element) => (element.scrollTop = Math.max(0, element.scrollTop - 6000)));
    await page.page.mouse.move(200, 300);
    await page.page.mouse.wheel(0, -300);
    await settled(page);
    await page.page.waitForTimeout(15);
    most = Math.max(most, await page.page.locator('article').count());
  }
  assert.ok(await page.page.$('[data-item="i0"]'), 'the first item is reached');
  assert.ok(most <= 200, `${most} items drawn`);
  return `reloaded and drawn in ${whole} ms, painted at ${opened.map(Math.round)} ms, at most ${most} items drawn`;
});

await check('opening two thousand items takes at most 300 ms', async (open) => {
  const page = await open({ items: long(2000), session: { id: 's1' } });
  const took = await quick(300, 'opening', () => page.page.evaluate(() => new Promise((resolve) => {
    const began = performance.now();
    new MutationObserver((_, observer) => {
      if (!document.querySelector('[data-item="i1999"]')) return;
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - began)));
    }).observe(document.body, { childList: true, subtree: true });
    window.postMessage({ type: 'session', workspace: '/w', roots: [], trusted: true, mode: 'agent' }, '*');
    window.postMessage({ type: 'session', id: 's1', workspace: '/w', roots: [], trusted: true, mode: 'agent' }, '*');
  })));
  return `${Math.round(took)} ms`;
});

await check('older pages come without moving what is read', async (open) => {
  const page = await open({ items: long(400) });
  await page.page.waitForSelector('[data-item="i399"]');
  const place = (id) => page.page.evaluate((id) => document.querySelector(`[data-item="${id}"]`)?.getBoundingClientRect().top, id);
  await page.page.mouse.move(200, 300);
  await page.page.mouse.wheel(0, -400);
  await page.page.waitForTimeout(100);
  await page.page.locator('.scroller').evaluate((element) => (element.scrollTop = 500));
  const first = await page.page.evaluate(() => [...document.querySelectorAll('article')].find((article) => article.getBoundingClientRect().bottom > 60).dataset.item);
  await settled(page);
  const before = await place(first);
  await until('an older page came', () => page.page.evaluate(() => document.querySelectorAll('.stretch').length > 2));
  await page.page.waitForTimeout(200);
  const after = await place(first);
  assert.ok(Math.abs(after - before) <= 2, `${first} went from ${before} to ${after}`);
});

await check('who reads further up is left alone, who reads the end follows', async (open) => {
  const page = await open({ items: long(80) });
  await page.page.waitForSelector('[data-item="i79"]');
  const atEnd = () => page.page.evaluate(() => { const s = document.querySelector('.scroller'); return s.scrollHeight - s.scrollTop - s.clientHeight; });
  await page.update(durable(11, { kind: 'itemStarted', item: item('n1', { kind: 'agentMessage', text: '', completion: 'open' }) }));
  for (let index = 0; index < 20; index++) await page.update(passing({ kind: 'itemDelta', itemId: 'n1', text: 'A line of words that is long enough to wrap.\n\n' }));
  await settled(page);
  assert.ok((await atEnd()) <= 2, 'followed');
  await page.page.mouse.move(200, 300);
  await page.page.mouse.wheel(0, -600);
  await page.page.waitForSelector('.to-end:not([hidden])');
  const top = () => page.page.evaluate(() => document.querySelector('.scroller').scrollTop);
  await page.page.waitForTimeout(150);
  const before = await top();
  for (let index = 0; index < 20; index++) await page.update(passing({ kind: 'itemDelta', itemId: 'n1', text: 'More words.\n\n' }));
  await page.update(durable(12, { kind: 'itemEnded', item: item('n2', { kind: 'notice', text: 'news', audience: 'both' }) }));
  await settled(page);
  assert.equal(await top(), before);
  assert.match(await page.page.textContent('.to-end'), /1 new/);
  await page.page.click('.to-end');
  await settled(page);
  assert.ok((await atEnd()) <= 2);
});

await check('typing stays quick while an answer streams', async (open) => {
  const page = await open({ items: long(300) });
  await page.page.waitForSelector('[data-item="i299"]');
  await page.update(durable(11, { kind: 'itemStarted', item: item('n1', { kind: 'agentMessage', text: '', completion: 'open' }) }));
  await page.page.click('.composer .field');
  await page.page.evaluate(() => {
    window.times = [];
    const field = document.querySelector('.composer .field');
    field.addEventListener('keydown', () => {
      const began = performance.now();
      requestAnimationFrame(() => setTimeout(() => window.times.push(performance.now() - began)));
    });
    let count = 0;
    window.stream = setInterval(() => window.postMessage({ type: 'notification', method: 'session/update', params: { sessionId: 's1', update: { kind: 'itemDelta', itemId: 'n1', text: `word ${count++} and ${count % 20 ? '' : '\n\n```js\nlet x = 1;\n```\n\n'}` } } }, '*'), 33);
  });
  let typed = 0;
  const p95 = await quick(50, 'key to paint', async () => {
    await page.page.evaluate(() => (window.times = []));
    for (let index = 0; index < 40; index++, typed++) {
      await page.page.keyboard.press('a');
      await page.page.waitForTimeout(25);
    }
    const times = (await page.page.evaluate(() => window.times)).sort((a, b) => a - b);
    return times[Math.floor(times.length * 0.95)];
  });
  assert.equal(await page.page.inputValue('.composer .field'), 'a'.repeat(typed));
  await page.page.evaluate(() => clearInterval(window.stream));
  const frames = await quick(16, 'layout after a resize', () => page.page.evaluate(async () => {
    const taken = [];
    for (let index = 0; index < 30; index++) {
      document.body.style.width = `${380 - (index % 10) * 6}px`;
      const began = performance.now();
      void document.querySelector('.scroller').scrollHeight;
      taken.push(performance.now() - began);
      await new Promise(requestAnimationFrame);
    }
    return taken.sort((a, b) => a - b)[28];
  }));
  return `key to paint ${p95.toFixed(1)} ms, layout after a resize ${frames.toFixed(1)} ms (p95)`;
});

await check('a page that is loaded again is where it was', async (open) => {
  const page = await open({ items: long(400), approvals: [scene.approval], draft: '' });
  await page.page.waitForSelector('[data-item="i399"]');
  await page.page.fill('.composer .field', 'half a thought');
  await page.page.mouse.move(200, 200);
  for (let turn = 0; turn < 12; turn++) {
    await page.page.mouse.wheel(0, -900);
    await page.page.waitForTimeout(60);
  }
  await page.page.waitForTimeout(400);
  const place = () => page.page.evaluate(() => { const a = [...document.querySelectorAll('article')].find((article) => article.getBoundingClientRect().bottom > 60 && article.offsetHeight); return [a.dataset.item, a.getBoundingClientRect().top]; });
  const before = await place();
  const fresh = page.host.draft;
  assert.equal(fresh, 'half a thought');
  await page.load();
  await page.page.waitForFunction((id) => document.querySelector(`[data-item="${id}"]`), before[0]);
  await page.page.waitForTimeout(300);
  const after = await place();
  assert.equal(after[0], before[0]);
  assert.ok(Math.abs(after[1] - before[1]) <= 2, `${before} → ${after}`);
  assert.equal(await page.page.inputValue('.composer .field'), 'half a thought');
  assert.ok(await page.page.isVisible('.card'));
});

await check('an update that was missed is asked for again', async (open) => {
  const page = await open({ items: long(3) });
  await page.page.waitForSelector('[data-item="i2"]');
  page.host.items.push(item('i3', { kind: 'notice', text: 'missed', audience: 'both' }));
  page.host.seq = 13;
  await page.update(durable(13, { kind: 'titleChanged', title: 'x' }));
  await page.page.waitForSelector('[data-item="i3"]');
  await page.update(durable(12, { kind: 'itemEnded', item: page.host.items[3] }), durable(13, { kind: 'titleChanged', title: 'x' }));
  await settled(page);
  assert.equal(await page.page.locator('[data-item="i3"]').count(), 1);
});

await check('keys', async (open) => {
  const page = await open({ ...scene.busy(), approvals: [scene.approval] });
  const active = () => page.page.evaluate(() => { const a = document.activeElement; return ['header', 'transcript', 'card', 'composer'].find((name) => a.closest(`.${name}`)); });
  await page.page.click('.composer .field');
  const order = [];
  for (let turn = 0; turn < 4; turn++) {
    await page.page.keyboard.press('F6');
    order.push(await active());
  }
  assert.deepEqual(order, ['header', 'transcript', 'card', 'composer']);
  await page.page.keyboard.type('then this');
  await page.page.keyboard.press('Enter');
  await page.page.keyboard.type('now this');
  await page.page.keyboard.press('Control+Enter');
  await page.page.keyboard.type('two');
  await page.page.keyboard.press('Shift+Enter');
  await page.page.keyboard.type('lines');
  assert.equal(await page.page.inputValue('.composer .field'), 'two\nlines');
  assert.deepEqual(page.sent.filter(({ type }) => type === 'prompt').map(({ input, delivery }) => [input[0].text, delivery]), [['then this', 'queue'], ['now this', 'steer']]);
  assert.deepEqual(page.sent.find(({ type }) => type === 'prompt').input.slice(1).length, 1, 'the selection goes along, the file that is off does not');
  await page.page.fill('.composer .field', '');
  await page.page.keyboard.press('ArrowUp');
  assert.equal(await page.page.inputValue('.composer .field'), 'Then run it a hundred times.');
  await page.page.keyboard.type(' Or two.');
  await page.page.keyboard.press('Enter');
  assert.equal(sentOf(page, 'session/requeue')[0].input[0].text, 'Then run it a hundred times. Or two.');
  await page.page.keyboard.press('Escape');
  assert.deepEqual(sentOf(page, 'session/interrupt'), []);
  await page.page.keyboard.press('Escape');
  assert.deepEqual(sentOf(page, 'session/interrupt'), [{ sessionId: 's1', scope: 'turn' }]);
  await page.page.keyboard.press('Control+.');
  await until('the mode is set', () => sentOf(page, 'session/setMode').length > 0);
  assert.deepEqual(sentOf(page, 'session/setMode'), [{ sessionId: 's1', mode: 'read-only' }]);
  await page.page.keyboard.press('Escape');
  await page.tell({ type: 'focus', target: 'lastMessage' });
  await page.page.waitForFunction(() => document.activeElement.dataset.item === 'i13');
  await page.page.keyboard.press('ArrowUp');
  assert.equal(await page.page.evaluate(() => document.activeElement.dataset.item), 'i12');
});

await check('completion', async (open) => {
  const page = await open({ ...scene.proposal(), candidates: [{ label: 'src/watch.rs', insert: '@src/watch.rs', detail: 'file' }, { label: '/compact', insert: '/compact', call: { method: 'session/compact', params: { sessionId: 's1' } } }] });
  await page.page.click('.composer .field');
  await page.page.keyboard.type('see @wat');
  await page.page.waitForSelector('.completion [role=option]');
  await page.page.keyboard.press('Enter');
  assert.equal(await page.page.inputValue('.composer .field'), 'see @src/watch.rs ');
  await page.page.fill('.composer .field', '');
  await page.page.keyboard.type('/com');
  await page.page.waitForSelector('.completion [role=option]');
  await page.page.keyboard.press('ArrowDown');
  await page.page.keyboard.press('Tab');
  await until('it is called', () => sentOf(page, 'session/compact').length === 1);
  assert.equal(await page.page.inputValue('.composer .field'), '');
});

await check('events are announced once and in order, words never', async (open) => {
  const page = await open({});
  await page.page.evaluate(() => {
    window.said = [];
    new MutationObserver(() => { const text = document.querySelector('.hear[role=status]').textContent; if (text) window.said.push(text); }).observe(document.querySelector('.hear[role=status]'), { childList: true });
  });
  await page.update(
    durable(11, { kind: 'turnStarted', turnId: 't1', at: ago(0) }),
    durable(12, { kind: 'itemStarted', item: item('i1', { kind: 'agentMessage', text: '', completion: 'open' }) }),
    ...Array.from({ length: 30 }, () => passing({ kind: 'itemDelta', itemId: 'i1', text: 'word ' })),
    durable(13, { kind: 'approvalOpened', approval: { ...scene.approval, segments: [] } }),
    durable(14, { kind: 'approvalClosed', approvalId: 's1.i20', decision: { kind: 'once' } }),
    durable(15, { kind: 'itemEnded', item: item('i2', { kind: 'edit', uri: 'file:///a', path: 'a', change: { kind: 'changed' }, state: 'applied', added: 1, removed: 0, hunks: [] }) }),
    durable(16, { kind: 'turnEnded', turnId: 't1', stop: 'done', usage: {}, at: ago(0) }),
  );
  await until('the end is said', () => page.page.evaluate(() => window.said.length === 3));
  await page.page.waitForTimeout(300);
  assert.deepEqual(await page.page.evaluate(() => window.said), ['Needs approval: let a command reach github.com', 'Answered: Allowed once', 'pilotfish replied. 1 file changed']);
});

await check('the focus is never taken', async (open) => {
  const page = await open({ ...scene.busy(), approvals: [] });
  await page.page.click('.composer .field');
  await page.page.keyboard.type('ab');
  await page.update(durable(11, { kind: 'approvalOpened', approval: scene.approval }), durable(12, { kind: 'itemStarted', item: scene.question }), durable(13, { kind: 'queueChanged', queue: [] }));
  await page.tell({ type: 'session', id: 's1', workspace: '/home/ann/watcher', roots: [], trusted: true, mode: 'agent' }, { type: 'connection', state: 'starting' }, { type: 'connection', state: 'ready' });
  await page.page.keyboard.type('cd');
  await page.page.waitForTimeout(200);
  await page.page.keyboard.type('ef');
  assert.equal(await page.page.inputValue('.composer .field'), 'abcdef');
  assert.ok(await page.page.evaluate(() => document.activeElement.matches('.composer .field')));
});

const SCENES = {
  busy: () => ({ ...scene.busy(), approvals: [scene.approval] }),
  proposal: () => ({ ...scene.proposal(), openItems: [scene.question], trust: { trust: 'unknown', ships: [{ path: 'AGENTS.md', counts: false }] } }),
  welcome: () => ({ empty: true, models: { models: [], problem: 'No model is configured.' }, connection: { type: 'connection', state: 'stopped', reason: 'pilotfish was not found.' } }),
};
for (const theme of Object.keys(THEMES)) {
  await check(`nothing serious for axe in ${theme}`, async (open) => {
    for (const [name, parts] of Object.entries(SCENES)) {
      const page = await open({ ...parts(), answers: { 'rule/preview': scene.preview } }, { theme, height: 1400 });
      await page.page.waitForTimeout(150);
      assert.deepEqual(await page.serious(), [], name);
      if (name === 'busy') {
        await page.page.click('.card .button >> text=Always');
        await page.page.click('.bar .meter');
        await page.page.click('.plan .row');
        await page.page.waitForTimeout(100);
        assert.deepEqual(await page.serious(), [], `${name}, unfolded`);
      }
      if (name === 'proposal') {
        await page.page.click('.bar .mode');
        assert.deepEqual(await page.serious(), [], `${name}, mode`);
      }
    }
  });
}

for (const [width, scale] of [[300, 1], [190, 2]]) {
  await check(`nothing is cut off at ${width} px`, async (open) => {
    const page = await open({ ...scene.busy(), approvals: [scene.approval] }, { width, scale, height: 1000 });
    await page.page.waitForTimeout(150);
    const cut = await page.page.evaluate(() => [...document.querySelectorAll('button:not(.row, .name), .card, .field')].filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 0 && element.offsetParent && (left < 0 || right > window.innerWidth + 0.5);
    }).map((element) => element.outerHTML.slice(0, 120)));
    assert.deepEqual(cut, []);
  });
}

/** The pictures of the extension's README. */
async function pictures(folder) {
  mkdirSync(folder, { recursive: true });
  const shoot = async (name, parts, options, act) => {
    const page = await PanelPage.open(new PlayedHost(parts), { chrome, scale: 1.5, ...options });
    await page.page.waitForTimeout(200);
    await act?.(page.page);
    await page.page.waitForTimeout(200);
    await page.page.screenshot({ path: join(folder, `${name}.png`) });
    await page.close();
  };
  const asked = () => ({ ...scene.busy(), commands: [], queue: [], approvals: [scene.approval], answers: { 'rule/preview': scene.preview } });
  for (const theme of ['dark', 'light']) {
    await shoot(`panel-${theme}`, scene.busy(), { theme, width: 420, height: 860 });
    await shoot(`approval-${theme}`, asked(), { theme, width: 420, height: 640 });
    await shoot(`always-${theme}`, asked(), { theme, width: 420, height: 700 }, (page) => page.click('.card .button >> text=Always'));
    await shoot(`proposal-${theme}`, { ...scene.proposal(), items: scene.proposal().items.slice(0, 3) }, { theme, width: 420, height: 460 });
    await shoot(`mode-${theme}`, { ...scene.proposal(), items: scene.proposal().items.slice(0, 2) }, { theme, width: 420, height: 460 }, (page) => page.click('.bar .mode'));
  }
}
if (process.env.PILOTFISH_TEST_PICTURES && wanted.length === 0) await pictures(join(process.env.PILOTFISH_TEST_PICTURES, 'readme'));

await chrome.close();
process.exit(failed ? 1 : 0);
