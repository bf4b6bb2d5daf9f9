/** Functions with which the command line reads the files of an audit log without a platform. */
export { auditQuery } from './audit-query.js';
export { readCheckpointDirectory } from './checkpoint-files.js';
export { chainsIn, linesIn } from './log-directory.js';
export { foundIn } from './search.js';
export { verifyChain } from './verify.js';
