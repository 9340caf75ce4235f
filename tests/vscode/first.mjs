// The extension comes up in a real workbench and speaks with the daemon.
import { test, until } from './workbench.mjs';

await test({}, async (workbench) => {
  console.error('started');
  await workbench.picture('first');
});
