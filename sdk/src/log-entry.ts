/** `@tappaas/sdk/log`: following the log of a pod across broken connections, for the API and its typed client. */
export { FollowedLog, type LogEntry, type LogSource } from './followed-log.js';
export { lineMark, LogReading, timedLine, type LogPlace } from './log-reading.js';
