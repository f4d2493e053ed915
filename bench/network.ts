import { execFileSync, spawnSync } from 'node:child_process';
import process from 'node:process';
import { has } from './processes.ts';

const MARK = 'BENCH_NETWORK';
/** Reno sends as fast as loopback takes it; BBR paces it, which makes the same bytes dearer and erratic. */
const PREPARE = 'ip link set lo up && echo reno > /proc/sys/net/ipv4/tcp_congestion_control';

/**
 * Runs this program once more in a network namespace of its own, with Reno for congestion control, where the
 * machine lets us: nothing else uses that loopback.
 *
 * @returns its exit code; null when it has to run here.
 */
export function rerunInOwnNetwork(args: readonly string[]): number | null {
  if (process.env[MARK] !== undefined || !canOwnNetwork()) return null;
  const { status } = spawnSync(
    'unshare',
    ['-rn', 'sh', '-c', `${PREPARE} && exec "$0" "$@"`, process.execPath, 'bench/run.ts', ...args],
    { stdio: 'inherit', env: { ...process.env, [MARK]: 'own' } },
  );
  return status ?? 1;
}

function canOwnNetwork(): boolean {
  if (!has('unshare') || !has('ip')) return false;
  try {
    execFileSync('unshare', ['-rn', 'sh', '-c', PREPARE], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
