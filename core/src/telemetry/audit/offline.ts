/** What the command line does with the files of the log, without a platform. */
export { auditQuery } from './audit-query.js';
export { readCheckpointDirectory } from './checkpoint-files.js';
export { chainsIn, linesIn } from './log-directory.js';
export { foundIn } from './search.js';
export { verifyChain } from './verify.js';
