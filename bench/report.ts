import type { Finding, Row, Verdict } from './finding.ts';

const MAX_LINE = 120;

/** A finding as Markdown: how it was measured, the table, the notes. */
export function formatFinding(finding: Finding): string {
  const { title, method, notes, rows } = finding;
  return [
    `### ${title}`,
    wrap(method),
    ...(rows.length === 0 ? [] : [formatTable(toLines(finding))]),
    ...notes.map(wrap),
  ].join('\n\n');
}

function toLines({ variantColumn, columns, rows }: Finding): string[][] {
  const hasVerdicts = rows.some(({ verdicts }) => verdicts.length > 0);
  const heads = [
    ...(variantColumn === null ? [] : [variantColumn]),
    'target',
    ...columns,
    ...(hasVerdicts ? ['goal'] : []),
  ];
  return [
    heads,
    ...rows.map((row: Row) => [
      ...(variantColumn === null ? [] : [row.variant ?? '']),
      row.target,
      ...row.cells,
      ...(hasVerdicts ? [formatVerdicts(row.verdicts)] : []),
    ]),
  ];
}

/** Verdicts in a cell. */
function formatVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts.map(({ goal, isMet }) => `${goal}: ${isMet ? 'met' : '**not met**'}`).join('; ');
}

/** A Markdown table; the first of `lines` is its head. */
export function formatTable(lines: readonly (readonly string[])[]): string {
  const [heads = [], ...rest] = lines;
  const cells = [heads, heads.map(() => '---'), ...rest];
  const widths = heads.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n');
}

/** One line on all goals. */
export function formatSummary(findings: readonly Finding[]): string {
  const verdicts = findings.flatMap(({ rows }) => rows.flatMap((row) => row.verdicts));
  const met = verdicts.filter(({ isMet }) => isMet).length;
  return `${met} of ${verdicts.length} goals met.`;
}

/** `text` in lines that documents have room for. */
export function wrap(text: string): string {
  let line = 0;
  return text.split(' ').reduce((lines, word) => {
    const isNext = line > 0 && line + word.length + 1 > MAX_LINE;
    const separator = lines === '' ? '' : isNext ? '\n' : ' ';
    line = isNext ? word.length : line + word.length + separator.length;
    return `${lines}${separator}${word}`;
  }, '');
}
