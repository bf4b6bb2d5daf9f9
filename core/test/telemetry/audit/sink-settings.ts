/** Of a sink that is waited for, with room for all that a test writes. */
export const waitedFor = {
  mode: 'batch',
  onOverflow: 'block',
  waitMsMax: 1_000,
  bufferLinesMax: 1_000,
  bufferBytesMax: 1_000_000,
  gatherMs: 0,
} as const;
