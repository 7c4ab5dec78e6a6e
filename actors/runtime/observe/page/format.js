// What a value looks like.

function make(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

// put changes the text only where it differs: what does not change costs
// nothing to lay out.
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1024;
  return (i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)) + ' ' + units[i];
}

const rate = n => bytes(n) + '/s';

function span(milliseconds) {
  if (milliseconds < 1) return Math.round(milliseconds * 1000) + ' µs';
  if (milliseconds < 1000) return (milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)) + ' ms';
  const s = Math.round(milliseconds / 1000);
  if (s < 60) return s + ' s';
  if (s < 3600) return Math.floor(s / 60) + ' min ' + s % 60 + ' s';
  return Math.floor(s / 3600) + ' h ' + Math.floor(s / 60) % 60 + ' min';
}

// age is coarse, to be read at a glance.
function age(milliseconds) {
  const s = Math.max(0, Math.floor(milliseconds / 1000));
  if (s < 60) return s + ' s';
  return s < 3600 ? Math.floor(s / 60) + ' min' : Math.floor(s / 3600) + ' h';
}

const clock = at => new Date(at).toLocaleTimeString([], {hourCycle: 'h23'});
const fineClock = at => clock(at) + '.' + String(at % 1000).padStart(3, '0');
const lastPart = path => path.slice(path.lastIndexOf('/') + 1);
const count = (n, what) => n + ' ' + what + (n === 1 ? '' : 's');

// canvas sizes it to what it covers on the screen; null while it is out of sight.
function canvas(element) {
  const scale = devicePixelRatio, width = element.clientWidth, height = element.clientHeight;
  if (!width || !height) return null;
  if (element.width !== Math.round(width * scale) || element.height !== Math.round(height * scale)) {
    element.width = Math.round(width * scale);
    element.height = Math.round(height * scale);
  }
  const c = element.getContext('2d');
  c.setTransform(scale, 0, 0, scale, 0, 0);
  c.clearRect(0, 0, width, height);
  return c;
}

let colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['calm', 'warm', 'alarm', 'line', 'faint', 'muted']) colours[name] = style.getPropertyValue('--' + name);
}
readColours();
