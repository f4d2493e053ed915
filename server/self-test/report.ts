import { redactText } from '../redaction.ts';

/** How a check ended. `unknown`: it could not be made, which is not a failure. */
export type CheckStatus = 'ok' | 'failed' | 'unknown';

/** What one check found. */
export interface CheckResult {
  /** What was checked, for programs: `dns`, `token`. */
  readonly name: string;
  readonly status: CheckStatus;
  /** One sentence without a full stop. */
  readonly message: string;
  /** What to do about a failure; one sentence without a full stop. */
  readonly fix?: string;
}

/** What the whole self-test found. */
export interface SelfTestReport {
  readonly ok: boolean;
  readonly checks: readonly CheckResult[];
  /** Settings that fit what was found, to paste into the environment. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Collects what the checks find. */
export class Findings {
  readonly #checks: CheckResult[] = [];
  readonly settings: Record<string, string> = {};

  ok(name: string, message: string): void {
    this.#checks.push({ name, status: 'ok', message });
  }

  fail(name: string, message: string, fix: string): void {
    this.#checks.push({ name, status: 'failed', message, fix });
  }

  unknown(name: string, message: string): void {
    this.#checks.push({ name, status: 'unknown', message });
  }

  report(): SelfTestReport {
    const ok = this.#checks.every(({ status }) => status !== 'failed');
    return { ok, checks: [...this.#checks], settings: { ...this.settings } };
  }
}

const SIGNS: Readonly<Record<CheckStatus, string>> = { ok: '✓', failed: '✗', unknown: '–' };

/** The report for people: a line for each check, then the settings. */
export function formatReport({ checks, settings }: SelfTestReport): string {
  const lines = checks.map(({ name, status, message, fix }) => {
    return `${SIGNS[status]} ${name}: ${message}.${fix === undefined ? '' : ` ${fix}.`}`;
  });
  const toPaste = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  if (toPaste.length > 0) lines.push('', 'Settings that fit this account:', ...toPaste);
  return redactText(`${lines.join('\n')}\n`);
}

/** The report as one JSON object. */
export function toJsonReport(report: SelfTestReport): string {
  return redactText(`${JSON.stringify(report)}\n`);
}
