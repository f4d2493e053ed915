import { createMediaProbe, type Media, type MediaProbe } from '../delivery/media-probe.ts';
import { type AppError, appError } from '../errors/app-error.ts';
import { emptyFile } from '../errors/factories.ts';
import type { StructureCheck } from '../file-types/file-type.ts';
import type { FileType, TypePolicy } from '../file-types/file-types.ts';
import { typeMessage } from '../file-types/type-messages.ts';
import { checkContent, checkName, type TypeProblem } from '../file-types/validation.ts';

/** A file as its sender describes it. */
export interface FileMetadata {
  /** Cleaned and distinct within the request. */
  readonly name: string;
  /** Null when its sender says nothing about the type. */
  readonly declaredType: string | null;
  readonly isMultipart: boolean;
}

/** Follows the bytes of one file that is forwarded, relayed or held, such as a malware scan. */
export interface FileObserver {
  /** Gets the next bytes before they are sent on. A promise delays the sink and the client. It must not keep `chunk`. */
  write(chunk: Buffer): Promise<void> | undefined;
  /** The file is whole. Rejects with the AppError that rejects the upload; the commit waits for it. */
  end(): Promise<void>;
  /** The upload has settled, or the file is not sent on after all. May be called more than once. */
  destroy(): void;
}

/** Makes an observer once the leading bytes of `file` are accepted. */
export type ObserveFile = (file: { readonly name: string; readonly contentType: string }) => FileObserver;

/** How files are checked. */
export interface FileChecks {
  readonly policy: TypePolicy;
  readonly fileObservers: readonly ObserveFile[];
  /** Called when the leading bytes of a file have been checked. */
  readonly onChecked?: (isAccepted: boolean, durationMs: number) => void;
}

/** One file of an upload as it arrives: what is known of it, and the checks that run over it. */
export class IncomingFile {
  readonly name: string;
  /** Bytes that have arrived. */
  size = 0;
  /** Its size in bytes, where that is certain before its last byte; null otherwise. */
  expectedSize: number | null = null;
  /** Whether its last byte has arrived. */
  isWhole = false;
  /** SHA-256 of its leading bytes; null unless they will be compared. */
  leadingDigest: string | null = null;
  readonly #metadata: FileMetadata;
  readonly #checks: FileChecks;
  #type: FileType | null = null;
  #structure: StructureCheck<TypeProblem | null> | null = null;
  #probe: MediaProbe | null = null;
  /** Bytes that the probe has seen before they were passed on. */
  #probedBytes = 0;
  /** Leading bytes that may or may not be the whole file. */
  #undecided: Buffer | null = null;
  #isVerified = false;
  #isDestroyed = false;
  #observers: readonly FileObserver[] = [];

  /** @throws AppError `TYPE_NOT_ALLOWED`, which needs no content. */
  constructor(metadata: FileMetadata, checks: FileChecks) {
    this.name = metadata.name;
    this.#metadata = metadata;
    this.#checks = checks;
    const checked = checkName(this.#description());
    if (!checked.ok) throw this.#toError(checked.problem);
  }

  /** The canonical type; known once the leading bytes were accepted. */
  get contentType(): string {
    if (this.#type === null) throw new TypeError('the leading bytes of the file have not been checked yet');
    return this.#type.contentType;
  }

  /** Media facts from the bytes so far, for the delivery check. */
  get media(): Media {
    if (this.#probe === null) throw new TypeError('the leading bytes of the file have not been checked yet');
    return this.#probe.media();
  }

  /**
   * Checks the type by the leading bytes.
   *
   * @param completeness Whether these are all of its bytes. `unknown` if no more arrive but the sender may have sent only the
   *   leading bytes on purpose.
   * @throws AppError `EMPTY_FILE`, `TYPE_MISMATCH`.
   */
  async checkLeadingBytes(bytes: Buffer, completeness: 'whole' | 'unknown' | 'partial'): Promise<void> {
    const startedAt = performance.now();
    try {
      this.#probe = createMediaProbe(await this.#checkType(bytes, completeness));
    } finally {
      this.#checks.onChecked?.(this.#type !== null, performance.now() - startedAt);
    }
    if (this.#isDestroyed) throw appError('UPSTREAM_ABORTED');
    this.#probe.update(bytes); // a direct upload is decided before `update` sees them
    this.#probedBytes = bytes.length;
    const { name, contentType } = this;
    this.#observers = this.#checks.fileObservers.map((observe) => observe({ name, contentType }));
  }

  /** Counts and checks the next bytes. Await the promise, if there is one, before they are sent on. */
  update(chunk: Buffer): Promise<void> | undefined {
    const probed = Math.max(0, this.#probedBytes - this.size);
    this.#probe?.update(probed === 0 ? chunk : chunk.subarray(probed));
    this.size += chunk.length;
    this.#structure?.update(chunk);
    if (this.#observers.length === 0) return undefined;
    return Promise.all(this.#observers.map((observer) => observer.write(chunk))).then(() => {});
  }

  /**
   * Runs the final checks on the complete file.
   *
   * @throws AppError `TYPE_MISMATCH` when its structure is not that of its type; what its observers reject it with.
   */
  async verify(): Promise<void> {
    if (this.#isVerified) return;
    this.#isVerified = true;
    if (this.#undecided !== null) await this.#checkType(this.#undecided, 'whole');
    const problem = this.#structure?.finish() ?? null;
    if (problem !== null) throw this.#toError(problem);
    if (this.#observers.length > 0) await Promise.all(this.#observers.map((observer) => observer.end()));
  }

  /** Ends the observers: the file is not sent on. */
  destroy(): void {
    this.#isDestroyed = true;
    for (const observer of this.#observers) observer.destroy();
    this.#observers = [];
  }

  async #checkType(leadingBytes: Buffer, completeness: 'whole' | 'unknown' | 'partial'): Promise<FileType> {
    if (leadingBytes.length === 0) throw emptyFile(this.name);
    const isWhole = completeness === 'whole';
    const checked = await checkContent({ ...this.#description(), bytes: leadingBytes, isWhole });
    if (!checked.ok) throw this.#toError(checked.problem);
    this.#type = checked.type;
    if (completeness === 'unknown') this.#undecided = leadingBytes;
    else this.#structure = checked.structure;
    return checked.type;
  }

  #toError(problem: TypeProblem): AppError {
    return toTypeError(problem, this.name, this.#checks.policy);
  }

  #description() {
    const { name, declaredType, isMultipart } = this.#metadata;
    return { filename: name, declaredType, isMultipart, policy: this.#checks.policy };
  }
}

/** The error for a file whose type was rejected. */
export function toTypeError(problem: TypeProblem, filename: string, policy: TypePolicy): AppError {
  const { code, details } = problem;
  return appError(code, { ...typeMessage(problem, filename, policy), details: { ...details } });
}
