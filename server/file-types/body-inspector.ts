import type { StructureInspector } from './matchers/matcher.ts';
import type { TypeProblem } from './type-problem.ts';

/** Follows a file to its end, where its head alone does not settle what it is. */
export interface BodyInspector {
  /**
   * Takes every chunk of the file in order, beginning with the head's first byte. Synchronous and cheap;
   * what has to be kept is copied, so the chunk belongs to the caller again afterwards.
   */
  update(chunk: Buffer): void;
  /** To be called after the last byte: null when the structure is right, else the problem. */
  finish(): TypeProblem | null;
}

/** Puts a matcher's findings into the words of the upload that it judges. */
export function createBodyInspector(
  structure: StructureInspector,
  toProblem: (detected: string | null) => TypeProblem,
): BodyInspector {
  return {
    update: (chunk) => structure.update(chunk),
    finish() {
      const finding = structure.finish();
      return finding.fits ? null : toProblem(finding.detected);
    },
  };
}
