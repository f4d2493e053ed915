import { type BodyInspector, createBodyInspector } from './body-inspector.ts';
import { declarationFits } from './declared-type.ts';
import { extensionOf } from './extension.ts';
import { type FileType, fileTypeOfExtension } from './file-types.ts';
import type { HeadFinding } from './matchers/matcher.ts';
import { MATCHERS } from './matchers.ts';
import { describeContent, recognise } from './recognise.ts';
import type { TypePolicy } from './type-policy.ts';
import { type TypeProblem, typeMismatch, typeNotAllowed } from './type-problem.ts';

export type { TypeProblem } from './type-problem.ts';

export interface DeclaredInput {
  readonly filename: string;
  /** The Content-Type that came with the file; null when none did. */
  readonly declared: string | null;
  readonly multipart: boolean;
  readonly policy: TypePolicy;
}

export interface HeadInput extends DeclaredInput {
  /** The first HEAD_BYTES or more, or the whole file when `complete`. */
  readonly head: Buffer;
  readonly complete: boolean;
}

export type DeclaredVerdict =
  | { readonly ok: true; readonly type: FileType }
  | { readonly ok: false; readonly problem: TypeProblem };

export type HeadVerdict =
  | {
      readonly ok: true;
      readonly type: FileType;
      /** Wants the whole file, from its first byte; null where the head has settled it. */
      readonly body: BodyInspector | null;
    }
  | { readonly ok: false; readonly problem: TypeProblem };

/** Whether the extension is on the list: it takes no content to know. */
export function checkName({ filename, declared, policy }: DeclaredInput): DeclaredVerdict {
  const extension = extensionOf(filename);
  const type = policy.allowed.has(extension) ? fileTypeOfExtension(extension) : undefined;
  if (!type) return { ok: false, problem: typeNotAllowed(extension, declared, policy.allowed) };
  return { ok: true, type };
}

/** By name and declared type only. An extension off the list is not allowed; all other disagreement is a mismatch. */
export async function judgeDeclared(input: DeclaredInput): Promise<DeclaredVerdict> {
  const byName = checkName(input);
  if (!byName.ok || (await declarationFits(input.declared, byName.type, input))) return byName;
  return { ok: false, problem: typeMismatch('declared', extensionOf(input.filename), input.declared, null) };
}

/** By name, declared type and the beginning of the content; no bytes make it throw. */
export async function judgeHead(input: HeadInput): Promise<HeadVerdict> {
  const { declared, head, complete } = input;
  const byName = checkName(input);
  if (!byName.ok) return byName;
  const { type } = byName;
  const extension = extensionOf(input.filename);
  const matcher = MATCHERS[type.name];
  const finding = settle(matcher.judgeHead(head, complete), head, complete);
  const mismatch = (detected: string | null) => typeMismatch('content', extension, declared, detected);
  const isSettled = finding.fits && (!matcher.contradictedBy || matcher.isDoubtful?.(head) === false);
  const recognised = isSettled ? null : await recognise(head);

  if (!finding.fits) {
    const detected = finding.detected ?? withoutOwn(type, describeContent(head, recognised));
    return { ok: false, problem: mismatch(detected) };
  }
  if (recognised && matcher.contradictedBy?.(recognised)) {
    return { ok: false, problem: mismatch(recognised.mime) };
  }
  if (!(await declarationFits(declared, type, input))) {
    const detected = describeContent(head, recognised ?? (await recognise(head)));
    return { ok: false, problem: typeMismatch('declared', extension, declared, detected) };
  }
  return { ok: true, type, body: finding.inspector && createBodyInspector(finding.inspector, mismatch) };
}

/** With the whole file in hand there is nothing to wait for. */
function settle(finding: HeadFinding, head: Buffer, complete: boolean): HeadFinding {
  if (!finding.fits || !finding.inspector || !complete) return finding;
  finding.inspector.update(head);
  const settled = finding.inspector.finish();
  return settled.fits ? { fits: true, inspector: null } : settled;
}

/** A broken JPEG is not told as "you said JPEG, but it is JPEG". */
function withoutOwn(type: FileType, detected: string | null): string | null {
  return detected === type.contentType ? null : detected;
}
