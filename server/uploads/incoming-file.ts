import { type AppError, appError } from '../errors/app-error.ts';
import type { FileType, TypePolicy } from '../file-types/file-types.ts';
import { typeMessage } from '../file-types/type-messages.ts';
import {
  checkLeadingBytes,
  checkName,
  type StructureValidator,
  type TypeProblem,
} from '../file-types/validation.ts';
import { BufferList } from '../http/buffers.ts';

/** A file as its sender describes it. */
export interface FileClaim {
  /** Cleaned and distinct within the request. */
  readonly name: string;
  /** Null when its sender says nothing about the type. */
  readonly declaredType: string | null;
  readonly isMultipart: boolean;
}

/** One file of an upload while it passes through: what is known of it, and the checks that run over it. */
export class IncomingFile {
  readonly name: string;
  /** Bytes that have come so far. */
  size = 0;
  /** Whether its last byte has come. */
  isWhole = false;
  /** Its bytes, while they may still be held. */
  readonly held = new BufferList();
  readonly #claim: FileClaim;
  readonly #policy: TypePolicy;
  #type: FileType | null = null;
  #inspector: StructureValidator | null = null;
  #unsettled: Buffer | null = null;

  /** @throws AppError `TYPE_NOT_ALLOWED`, which takes no content to know. */
  constructor(claim: FileClaim, policy: TypePolicy) {
    this.name = claim.name;
    this.#claim = claim;
    this.#policy = policy;
    const verdict = checkName(this.#judged());
    if (!verdict.ok) throw this.#toError(verdict.problem);
  }

  /** The canonical type; known once the head was accepted. */
  get contentType(): string {
    if (this.#type === null) throw new TypeError('the head of the file was not judged yet');
    return this.#type.contentType;
  }

  /**
   * Judges the first bytes of the file.
   *
   * @param extent Whether these are all of its bytes. `maybe` when nothing more comes but the sender may have
   *   cut it there on purpose, to have a head judged.
   * @throws AppError `EMPTY_FILE`, `TYPE_MISMATCH`.
   */
  async admit(head: Buffer, extent: 'whole' | 'maybe' | 'part'): Promise<void> {
    if (head.length === 0) throw emptyFile(this.name);
    const verdict = await checkLeadingBytes({ ...this.#judged(), bytes: head, isWhole: extent === 'whole' });
    if (!verdict.ok) throw this.#toError(verdict.problem);
    this.#type = verdict.type;
    if (extent === 'maybe') this.#unsettled = head;
    else this.#inspector = verdict.structure;
  }

  /** Counts and checks the next bytes. */
  pass(chunk: Buffer): void {
    this.size += chunk.length;
    this.#inspector?.update(chunk);
  }

  /**
   * Judges the file as a whole, all of which has passed.
   *
   * @throws AppError `TYPE_MISMATCH` when its structure is not that of its type.
   */
  async assertSound(): Promise<void> {
    const head = this.#unsettled;
    this.#unsettled = null;
    if (head !== null) await this.admit(head, 'whole');
    const problem = this.#inspector?.finish() ?? null;
    this.#inspector = null;
    if (problem !== null) throw this.#toError(problem);
  }

  /** Lets go of bytes that were held. */
  release(): Buffer[] {
    return this.held.take();
  }

  #toError(problem: TypeProblem): AppError {
    return toTypeError(problem, this.name, this.#policy);
  }

  #judged() {
    const { name, declaredType, isMultipart } = this.#claim;
    return { filename: name, declared: declaredType, multipart: isMultipart, policy: this.#policy };
  }
}

/** The error for a file without content. */
export function emptyFile(filename: string): AppError {
  return appError('EMPTY_FILE', { params: { filename }, details: { filename } });
}

/** The error for a file whose type was rejected. */
export function toTypeError(problem: TypeProblem, filename: string, policy: TypePolicy): AppError {
  const { code, details } = problem;
  return appError(code, { ...typeMessage(problem, filename, policy), details: { ...details } });
}
