/** Whether the tests run in CI. There, whatever a test needs (kubectl, a browser, a server) has to be installed: a test that is skipped elsewhere fails. */
export const isCi = !['', 'false'].includes(process.env['CI'] ?? '');
