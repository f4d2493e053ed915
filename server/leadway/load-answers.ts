let answers: Promise<typeof import('./answers.ts')> | undefined;

/** The shapes of Leadway's answers. Loaded at first use: zod would be half of what there is to do at start. */
export function loadAnswers(): Promise<typeof import('./answers.ts')> {
  answers ??= import('./answers.ts');
  return answers;
}
