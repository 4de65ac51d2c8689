const { default: Sequencer } = require('@jest/test-sequencer');

/** What runs for minutes or starts processes; first, so that no worker ends long after the others. */
const LONG_FIRST = [
  /e2e\/kill-every/,
  /torture\/(run|existing)/,
  /e2e\/(outage|demo-url|restarts|concurrency|stop-in-time|playground)/,
  /e2e\//,
  /contract\/|testing\/contract/,
  /testing\/(recorded-effects|surprises|webhook-rotation|end-to-end|lost|ending-races)/,
  /model\/|persistence\/embedded-postgres|media\/stores/,
];

/** Starts long files first. Among the others Jest's own order holds: by their last duration, or else their size. */
module.exports = class LongFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const index = LONG_FIRST.findIndex(pattern => pattern.test(path));
      return index < 0 ? LONG_FIRST.length : index;
    };
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
};
