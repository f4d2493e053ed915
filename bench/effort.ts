/** The size of a file, as it was named. */
export interface Size {
  readonly label: string;
  readonly bytes: number;
}

/** How often and how long one thing is repeated. */
export interface Rounds {
  readonly rounds: number;
  /** Of load in each round. */
  readonly seconds: number;
}

/** How much each measurement does. */
export interface Effort {
  /** Leaves all peers but the bare pipe out where they take long. */
  readonly isQuick: boolean;
  readonly concurrency: number;
  /** Of load in each round before small requests are measured: a server is measured as it is after a while. */
  readonly warmUpSeconds: number;
  readonly sizes: readonly Size[];
  readonly throughput: Rounds;
  readonly latency: Rounds;
  readonly initiate: Rounds;
  readonly scale: Rounds;
  /** How long uploads come at one rate. */
  readonly steady: { readonly seconds: number };
  readonly connections: Rounds & { readonly counts: readonly number[] };
  readonly cutThrough: { readonly rounds: number; readonly fileBytes: number };
  readonly refusal: { readonly rounds: number };
  readonly start: { readonly rounds: number };
  readonly memory: {
    /** Of each slow caller. */
    readonly bytesPerSecond: number;
    /** Files of each fast caller. */
    readonly filesPerCaller: number;
    /** Until the memory that is left is looked at. */
    readonly waitSeconds: number;
  };
}

const KIB = 1024;
const MB = 1_000_000;

/** About ten minutes. */
export const FULL: Effort = {
  isQuick: false,
  concurrency: 16,
  warmUpSeconds: 4,
  sizes: [
    { label: '100KiB', bytes: 100 * KIB },
    { label: '5MB', bytes: 5 * MB },
    { label: '100MB', bytes: 100 * MB },
  ],
  throughput: { rounds: 7, seconds: 1 },
  latency: { rounds: 9, seconds: 0.7 },
  initiate: { rounds: 9, seconds: 0.7 },
  scale: { rounds: 9, seconds: 0.8 },
  steady: { seconds: 12 },
  connections: { rounds: 9, seconds: 0.7, counts: [1, 100, 2000] },
  cutThrough: { rounds: 9, fileBytes: 20 * MB },
  refusal: { rounds: 15 },
  start: { rounds: 15 },
  memory: { bytesPerSecond: 4 * MB, filesPerCaller: 2, waitSeconds: 60 },
};

/** About a minute: enough to see that all of it works, and which way things went. */
export const QUICK: Effort = {
  isQuick: true,
  concurrency: 16,
  warmUpSeconds: 1,
  sizes: [
    { label: '100KiB', bytes: 100 * KIB },
    { label: '5MB', bytes: 5 * MB },
  ],
  throughput: { rounds: 2, seconds: 0.4 },
  latency: { rounds: 1, seconds: 0.5 },
  initiate: { rounds: 1, seconds: 0.5 },
  scale: { rounds: 1, seconds: 0.5 },
  steady: { seconds: 1 },
  connections: { rounds: 3, seconds: 0.3, counts: [1, 2000] },
  cutThrough: { rounds: 1, fileBytes: 5 * MB },
  refusal: { rounds: 3 },
  start: { rounds: 1 },
  memory: { bytesPerSecond: 8 * MB, filesPerCaller: 1, waitSeconds: 3 },
};
