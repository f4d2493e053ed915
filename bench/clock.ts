import process from 'node:process';

/** Milliseconds of the system's monotonic clock, which all processes of one machine share. */
export function systemNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
