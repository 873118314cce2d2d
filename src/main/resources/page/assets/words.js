const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const short = new Intl.NumberFormat('en', { notation: 'compact' });
const whole = new Intl.NumberFormat('en');

/** Formats the time of day of a time in seconds. */
export const clockTime = (seconds) => clock.format(seconds * 1000);

export const compact = (number) => short.format(number);

export const grouped = (number) => whole.format(number);

/** Formats a duration in milliseconds with up to two units. */
export function duration(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min ${seconds % 60} s`;
  }
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
