// What sticks out of a page or is not there.
function misfits() {
  const wrong = [];
  const width = window.innerWidth;
  const name = e => e.tagName.toLowerCase() + (e.className && e.className.split
    ? '.' + e.className.trim().split(/\s+/).join('.') : '') + ' "' + e.textContent.trim().slice(0, 40) + '"';
  if (document.documentElement.scrollWidth > width + 1)
    wrong.push('scrolls sideways: ' + document.documentElement.scrollWidth + ' px');
  const scrolls = e => {
    for (let at = e; at && at !== document.body; at = at.parentElement) {
      const how = getComputedStyle(at);
      if (how.overflowX !== 'visible' || how.clip !== 'auto' || how.position === 'fixed') return true;
    }
    return false;
  };
  for (const e of document.querySelectorAll('.bd-article *')) {
    const box = e.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    if (box.right > width + 1 && !scrolls(e)) wrong.push('sticks out: ' + name(e));
  }
  for (const e of document.querySelectorAll('.bd-article math')) {
    const over = e.parentElement.getBoundingClientRect().left - e.getBoundingClientRect().left;
    if (over > 1) wrong.push('begins where nobody can scroll: ' + name(e));
  }
  for (const e of document.images)
    if (!(e.complete && e.naturalWidth) && e.loading !== 'lazy') wrong.push('no picture: ' + e.src.slice(0, 80));
  return wrong.slice(0, 5);
}

// Text whose ground is too near to it.
function faint() {
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const parts = c => c.match(/[\d.]+/g).map(Number);
  const ground = e => { for (let at = e; at; at = at.parentElement) {
    const c = parts(getComputedStyle(at).backgroundColor); if (c.length < 4 || c[3] > .5) return c.slice(0, 3); }
    return [255, 255, 255]; };
  const wrong = new Map();
  const walk = document.createTreeWalker(document.querySelector('.bd-article') || document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !e.getBoundingClientRect().width || e.closest('svg, .headerlink')) continue;
    const colour = parts(getComputedStyle(e).color);
    if (colour.length > 3 && colour[3] < .5) continue;
    const pair = [light(colour.slice(0, 3)), light(ground(e))].sort((a, b) => b - a);
    const ratio = (pair[0] + .05) / (pair[1] + .05);
    const kind = e.tagName.toLowerCase() + '.' + (e.className || e.parentElement.className);
    if (ratio < 3.5 && !wrong.has(kind)) wrong.set(kind, kind + ' ' + ratio.toFixed(1) + ': ' + e.textContent.trim().slice(0, 30));
  }
  return [...wrong.values()].slice(0, 5);
}
