// An extension of the tests: runs functions that a test sends beside the extension under test, so that a test can look at texts,
// carets and tabs as they are and not as they are painted.
const { createServer } = require('node:http');
const vscode = require('vscode');

/** Called by the editor. */
exports.activate = (context) => {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => (body += text));
    request.on('end', async () => {
      try {
        const { code, values } = JSON.parse(body);
        const value = await new Function(`return (${code})`)()(vscode, ...values);
        response.end(JSON.stringify({ value: value ?? null }));
      } catch (error) {
        response.end(JSON.stringify({ error: String(error?.stack ?? error) }));
      }
    });
  });
  server.listen(process.env.PILOTFISH_TEST_SPY);
  context.subscriptions.push({ dispose: () => server.close() });
};
