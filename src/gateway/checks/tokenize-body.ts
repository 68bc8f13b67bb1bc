import { readJsonObject, refuseOtherFields, requiredText } from '../body.ts';
import { learn } from '../call.ts';
import type { Check } from '../check.ts';

/** Longest account id, in characters, as in a path. */
const accountLimit = 128;

/** The body of a tokenisation is `{"account": "<id>"}` and nothing else. */
export const tokenizeBody: Check = {
  id: 'tokenize-body',
  clause: 'acceptance.md §1.3 (9); LAB-03, LAB-29',
  async run(call) {
    const body = await readJsonObject(call.request);
    refuseOtherFields(body, ['account']);
    learn(call, 'account', requiredText(body, 'account', accountLimit));
  },
};
