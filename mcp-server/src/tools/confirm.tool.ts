/** Owns the tool `confirm`: makes the client ask its user a question (MCP elicitation). */

import { z } from 'zod';
import { defineTool } from '../protocol/define.ts';

const form = z.object({
  confirmed: z.boolean().describe('Yes or no'),
  comment: z.string().max(1_000).optional().describe('Anything to add'),
});

export default defineTool({
  name: 'confirm',
  title: 'Ask for confirmation',
  description: 'Asks the user a yes-or-no question, with room for a comment, and gives back the answer.',
  input: z.object({ question: z.string().min(1).max(1_000).describe('The question to put to the user') }),
  output: z.object({
    answer: z.enum(['yes', 'no', 'declined', 'cancelled']),
    comment: z.string().optional(),
  }),
  annotations: { readOnlyHint: true, openWorldHint: true },
  run: async ({ question }, { elicit }) => {
    const asked = await elicit(question, form);
    if (asked.action !== 'accept') {
      return asked.action === 'decline'
        ? { text: 'The user declined to answer.', structured: { answer: 'declined' as const } }
        : { text: 'The user closed the question without an answer.', structured: { answer: 'cancelled' as const } };
    }
    const { confirmed, comment } = asked.content;
    const answer = confirmed ? ('yes' as const) : ('no' as const);
    const text = `The user said ${answer}${comment ? `: ${comment}` : '.'}`;
    return { text, structured: { answer, ...(comment && { comment }) } };
  },
});
