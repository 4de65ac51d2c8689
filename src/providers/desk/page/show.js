/** Creates an element. Children are inserted as text, so nothing that end-users or agents wrote is read as markup. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

export const byId = id => document.getElementById(id);

/** Writes a text only if it differs, so that a screen reader does not announce it again. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** Shows the hour today, else the date; the full time on hovering. */
export function timeElement(at) {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return element(
    'time',
    { datetime: at, title: moment.format(date) },
    isToday ? time.format(date) : `${day.format(date)} ${time.format(date)}`,
  );
}

/** Returns how long an end-user has waited. Empty within the first minute. */
export function waitedText(since) {
  const minutes = Math.floor((Date.now() - Date.parse(since)) / 60_000);
  if (minutes < 1) return '';
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} days`;
}

export const momentText = at => moment.format(new Date(at));

export const STATUS_WORDS = { BOT_HELD: 'With the bot', OPEN: 'Open', ON_HOLD: 'On hold', RESOLVED: 'Resolved' };
export const PRIORITY_WORDS = {
  LOW: 'low priority',
  MEDIUM: 'medium priority',
  HIGH: 'high priority',
  URGENT: 'urgent',
};

/**
 * Returns the address of a file on this service, relative to wherever it is mounted; else the file's own http(s)
 * address; else null.
 */
export function fileAddress(url) {
  const own = url.indexOf('/files/');
  if (url.startsWith('/providers/desk/') && own >= 0) return url.slice(own + 1);
  return /^https?:\/\//i.test(url) ? url : null;
}
