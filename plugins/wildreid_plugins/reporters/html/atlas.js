// The map: points on a canvas, so that thousands of them scroll and answer at once.
(() => {
  const canvas = document.getElementById("atlas-canvas");
  if (!canvas) return;
  const { points, pictures } = JSON.parse(document.getElementById("atlas-data").textContent);
  const told = document.getElementById("atlas-told"), thumb = told.querySelector(".thumb"), key = told.querySelector(".key");
  const colour = document.getElementById("atlas-colour"), find = document.getElementById("atlas-find");
  const show = document.getElementById("atlas-show"), slider = document.getElementById("atlas-epoch");
  const dark = matchMedia("(prefers-color-scheme: dark)"), calm = matchMedia("(prefers-reduced-motion: reduce)");
  const final = pictures.filter((picture) => picture.epoch === null), epochs = pictures.filter((picture) => picture.epoch !== null);
  let current = final[0] ?? epochs.at(-1), positions = new Map(), moving = 0, chosen = -1, wanted = "", size = 0;

  const palette = () => {
    const many = points[colour.value].names.length;
    // the golden angle keeps neighbours apart however many there are
    return points[colour.value].names.map((_, n) =>
      `hsl(${(n * 137.508 + 150) % 360} ${55 + (n % 3) * 12}% ${(dark.matches ? 62 : 40) + (many > 8 ? (n % 2) * 10 : 0)}%)`);
  };
  let colours = palette();

  const place = (xy) => [(xy[0] / 1000) * (size - 32) + 16, (1 - xy[1] / 1000) * (size - 32) + 16];

  const draw = () => {
    const context = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    const group = points[colour.value].of, radius = Math.max(2.2, Math.min(5, size / (12 * Math.sqrt(positions.size + 1))) );
    context.setTransform(canvas.width / size, 0, 0, canvas.height / size, 0, 0);
    context.clearRect(0, 0, size, size);
    const names = points.individual.names, same = chosen >= 0 ? group[chosen] : -1;
    const strong = (id) => (wanted ? names[points.individual.of[id]].toLowerCase().includes(wanted) : same < 0 || group[id] === same);
    for (const front of [false, true]) {
      for (const [id, xy] of positions) {
        if (strong(id) !== front) continue;
        const [x, y] = place(xy);
        context.globalAlpha = front ? 0.9 : 0.18;
        context.fillStyle = colours[group[id]];
        context.beginPath();
        context.arc(x, y, radius, 0, 7);
        context.fill();
      }
    }
    context.globalAlpha = 1;
    if (positions.has(chosen)) {
      const [x, y] = place(positions.get(chosen));
      context.strokeStyle = style.getPropertyValue("--ink");
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, radius + 3.5, 0, 7);
      context.stroke();
    }
  };

  const resize = () => {
    size = canvas.clientWidth;
    const pixels = Math.round(size * Math.min(devicePixelRatio || 1, 2));
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
    draw();
  };

  const tell = (id) => {
    if (id === chosen) return;
    chosen = id;
    const put = (name, text) => (told.querySelector(`.${name}`).textContent = text || "\u00a0");
    const of = (name) => (id < 0 ? "" : points[name].names[points[name].of[id]]);
    put("who", id < 0 ? "no photo chosen" : of("individual"));
    for (const name of ["camera", "date", "part", "encounter"]) put(name, of(name));
    thumb.classList.toggle("on", id >= 0);
    if (id >= 0) {
      const { side, columns, width, height } = thumb.dataset, scale = 128 / side;
      thumb.style.backgroundSize = `${width * scale}px ${height * scale}px`;
      thumb.style.backgroundPosition = `${-(id % columns) * 128}px ${-Math.floor(id / columns) * 128}px`;
    }
    draw();
  };

  const nearest = (event, within) => {
    const box = canvas.getBoundingClientRect(), at = [event.clientX - box.left, event.clientY - box.top];
    let best = -1, distance = within * within;
    for (const [id, xy] of positions) {
      const [x, y] = place(xy), far = (x - at[0]) ** 2 + (y - at[1]) ** 2;
      if (far < distance) [best, distance] = [id, far];
    }
    return best;
  };

  const go = (picture) => {
    const before = positions, after = new Map(picture.points.map((id, n) => [id, picture.xy[n]]));
    current = picture;
    if (slider) slider.parentElement.querySelector("output").value = picture.epoch === null ? "" : `epoch ${picture.epoch}`;
    if (!after.has(chosen)) tell(-1);
    const begun = performance.now(), mine = ++moving, long = calm.matches || !before.size ? 0 : 250;
    const step = (now) => {
      if (mine !== moving) return;
      const share = long ? Math.min(1, Math.max(0, (now - begun) / long)) : 1;
      positions = share === 1 ? after : new Map([...after].map(([id, xy]) => {
        const from = before.get(id) ?? xy;
        return [id, [from[0] + (xy[0] - from[0]) * share, from[1] + (xy[1] - from[1]) * share]];
      }));
      draw();
      if (share < 1) requestAnimationFrame(step);
    };
    step(begun);
  };

  const legend = () => {
    const { names } = points[colour.value];
    key.replaceChildren(...(names.length > 40 ? [] : names.map((name, n) => {
      const item = document.createElement("li");
      item.textContent = name || "none";
      item.style.setProperty("--colour", colours[n]);
      return item;
    })));
  };

  canvas.addEventListener("pointermove", (event) => event.pointerType === "mouse" && tell(nearest(event, 14)));
  canvas.addEventListener("pointerdown", (event) => tell(nearest(event, event.pointerType === "mouse" ? 14 : 28)));
  canvas.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }, way = ways[event.key];
    if (event.key === "Escape") tell(-1);
    if (!way) return;
    event.preventDefault();
    if (!positions.has(chosen)) return tell(positions.keys().next().value);
    const from = place(positions.get(chosen));
    let best = chosen, cost = Infinity;
    for (const [id, xy] of positions) {
      const at = place(xy), ahead = (at[0] - from[0]) * way[0] + (at[1] - from[1]) * way[1];
      const aside = Math.abs((at[0] - from[0]) * way[1]) + Math.abs((at[1] - from[1]) * way[0]);
      if (id !== chosen && ahead > 0 && ahead + 2 * aside < cost) [best, cost] = [id, ahead + 2 * aside];
    }
    tell(best);
  });
  const recolour = () => {
    colours = palette();
    legend();
    draw();
  };
  colour.addEventListener("change", recolour);
  dark.addEventListener("change", recolour);
  find.addEventListener("input", () => {
    wanted = find.value.trim().toLowerCase();
    draw();
  });
  slider?.addEventListener("input", () => go(epochs[slider.value]));
  show?.addEventListener("change", () => {
    slider.disabled = show.value === "final";
    go(show.value === "final" ? final[0] : epochs[slider.value]);
  });
  new ResizeObserver(resize).observe(canvas);
  size = canvas.clientWidth;
  legend();
  go(current);
})();
