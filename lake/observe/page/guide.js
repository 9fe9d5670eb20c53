// A guide or a runbook: its text comes with the page.

import { frame, trouble } from "./frame.js";

try {
  await frame(location.pathname);
} catch (error) {
  trouble(error.message);
}
document.body.dataset.asked = 1;
