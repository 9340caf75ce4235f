// The page of the panel: an empty body that loads one script and one sheet, and may load nothing else from anywhere.

/** What the page is made of. */
export interface Page {
  /** A random word that marks the one script that may run. */
  nonce: string;
  /** Where the extension's own files come from, as a source of a content security policy. */
  source: string;
  script: string;
  style: string;
  language: string;
}

/** The page. Nothing in it comes from a model or a file. */
export function page({ nonce, source, script, style, language }: Page): string {
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${source}; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>pilotfish</title>
<link rel="stylesheet" href="${style}">
</head>
<body>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
