/** Where the bearer tokens come from. */
export interface TokenSource {
  /** The token of a location that is configured. */
  current(locationId: string): string;
  /** Every token that may be sent for it, to be kept out of what clients read. */
  all(locationId: string): readonly string[];
  /**
   * Reads the tokens again, after Leadway called one bad. Resolves to whether the location's token is now
   * another than `usedToken`, so that a retry makes sense.
   */
  refresh(locationId: string, usedToken: string): Promise<boolean>;
}
