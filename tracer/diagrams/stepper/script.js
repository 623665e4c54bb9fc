// Steps through the figures of a page. Each one is a .gradstep with a .film, the JSON of its frames.
(() => {
  "use strict";

  const begin = (root) => {
    const find = (name) => root.querySelector("." + name);
    const film = JSON.parse(find("film").textContent);
    const frames = film.frames;
    const end = frames.length - 1;
    const slider = find("slider");
    const figure = find("figure");
    const svg = figure.querySelector("svg");
    const alone = root.hasAttribute("data-alone");
    const calm = matchMedia("(prefers-reduced-motion: reduce)");

    // What changes: a group, the frames at which it changes, the look it takes there, the dresses of each look.
    const actors = [...svg.querySelectorAll(".v")].map((group, k) => {
      const [turns, looks, dresses] = film.changes[k];
      const elements = [...group.children].filter((child) => child.tagName !== "title");
      return { turns, looks, dresses, elements, shown: null };
    });

    // The frames of each node: its forward step first, then the flows that it sends.
    const visits = new Map();
    frames.forEach((frame, k) => {
      if (!visits.has(frame.node)) visits.set(frame.node, []);
      visits.get(frame.node).push(k);
    });
    const operations = [...svg.querySelectorAll(".op")];
    const buttons = operations.filter((group) => group.hasAttribute("role"));

    let now = -1;
    let timer = 0;
    let began = false;

    const isBackward = (k) => frames[k].at > film.forward;
    const phase = (k) => (frames[k].at === 0 ? "start" : isBackward(k) ? "backward" : "forward");

    const dress = (actor, k) => {
      let low = 0;
      let high = actor.turns.length;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (actor.turns[middle] <= k) low = middle;
        else high = middle;
      }
      const look = actor.looks[low];
      if (look === actor.shown) return;
      actor.shown = look;
      actor.elements.forEach((element, i) => {
        const number = look < 0 ? -1 : actor.dresses[look][i];
        element.setAttribute("class", number < 0 ? "x" : "k" + number);
      });
    };

    // Text with subscripts between two marks. Only ever as text: no name can become markup.
    const write = (place, text) => {
      text.split(/[\u0001\u0002]/).forEach((piece, i) => {
        if (!piece) return;
        place.append(i % 2 ? Object.assign(document.createElement("sub"), { textContent: piece }) : piece);
      });
    };

    const tell = (k) => {
      const frame = frames[k];
      root.dataset.phase = phase(k);
      find("phase").textContent = phase(k) === "start" ? "start" : phase(k) + " pass";
      find("count").textContent = "step " + frame.at + " of " + film.last;
      find("words").textContent = frame.words;
      find("formula").replaceChildren(
        ...frame.formula.map((line, i) => {
          const span = document.createElement("span");
          if (i && i === frame.formula.length - 1) span.className = "result";
          write(span, line);
          return span;
        }),
      );
      slider.value = k;
      slider.setAttribute("aria-valuetext", "step " + frame.at + " of " + film.last + ", " + phase(k));
      for (const name of ["first", "back"]) find(name).setAttribute("aria-disabled", k === 0);
      for (const name of ["next", "last"]) find(name).setAttribute("aria-disabled", k === end);
    };

    // The current operation is the one of all that the tab key reaches; it is scrolled into view.
    const point = (k) => {
      const focused = buttons.includes(document.activeElement);
      let current = null;
      for (const button of buttons) {
        const here = Number(button.dataset.node) === frames[k].node;
        if (here) current = button;
        button.setAttribute("tabindex", here ? "0" : "-1");
        if (here) button.setAttribute("aria-current", "step");
        else button.removeAttribute("aria-current");
      }
      if (!current && buttons.length) buttons[0].setAttribute("tabindex", "0");
      if (!current) return;
      if (focused) current.focus({ preventScroll: true });
      const box = current.getBoundingClientRect();
      const frame = figure.getBoundingClientRect();
      const across = outside(box.left, box.right, frame.left, frame.right);
      const down = outside(box.top, box.bottom, frame.top, frame.bottom);
      if (across || down) figure.scrollBy({ left: across, top: down, behavior: began && !calm.matches ? "smooth" : "auto" });
    };

    // How far to scroll so that low..high lies in the middle of from..to; 0 where it is inside already.
    const outside = (low, high, from, to) =>
      low >= from + 12 && high <= to - 12 ? 0 : (low + high - from - to) / 2;

    const show = (k) => {
      k = Math.max(0, Math.min(end, k));
      if (k === now) return;
      now = k;
      for (const actor of actors) dress(actor, k);
      tell(k);
      point(k);
    };

    const go = (k) => {
      show(k);
      if (alone) remember("#" + frames[now].at);
    };

    const remember = (address) => {
      try {
        history.replaceState(history.state, "", address);
      } catch {
        // A browser refuses this in a sandbox, and for a while after very many steps.
      }
    };

    // The frame of a position, or the last one before it.
    const frameAt = (position) => Math.max(0, frames.findLastIndex((frame) => frame.at <= position));

    const stop = () => {
      clearInterval(timer);
      timer = 0;
      find("play").setAttribute("aria-pressed", "false");
    };

    const play = () => {
      if (timer) return stop();
      find("play").setAttribute("aria-pressed", "true");
      go(now === end ? 0 : now + 1);
      timer = setInterval(() => (now === end ? stop() : go(now + 1)), 1200);
    };

    // From a node to its forward step, from there to its backward step, and back.
    const visit = (node) => {
      const steps = visits.get(node) || [];
      if (!steps.length) return;
      const after = steps.find(isBackward);
      stop();
      go(frames[now].node === node && !isBackward(now) && after !== undefined ? after : steps[0]);
    };

    const jump = (k) => {
      stop();
      go(k);
    };

    const keys = {
      ArrowRight: () => jump(now + 1),
      ArrowLeft: () => jump(now - 1),
      Home: () => jump(0),
      End: () => jump(end),
      "%": () => visit(frames[now].node),
      " ": play,
    };

    document.addEventListener("keydown", (event) => {
      const focus = event.target;
      const ours = root.contains(focus) || (alone && focus === document.body);
      if (!ours || event.ctrlKey || event.altKey || event.metaKey) return;
      const pressed = event.key === " " || event.key === "Enter";
      if (pressed && buttons.includes(focus)) visit(Number(focus.dataset.node));
      else if (pressed && focus.matches("button, summary, a")) return;
      else if (keys[event.key]) keys[event.key]();
      else return;
      event.preventDefault();
    });

    const click = (name, act) => find(name).addEventListener("click", act);
    click("first", () => jump(0));
    click("back", () => jump(now - 1));
    click("play", play);
    click("next", () => jump(now + 1));
    click("last", () => jump(end));
    slider.addEventListener("input", () => jump(Number(slider.value)));
    operations.forEach((group) => group.addEventListener("click", () => visit(Number(group.dataset.node))));

    // A swipe steps, except where it scrolls the figure or moves the slider.
    let touch = null;
    root.addEventListener("touchstart", (event) => {
      touch = event.touches.length === 1 && event.target !== slider ? event.touches[0] : null;
    }, { passive: true });
    root.addEventListener("touchend", (event) => {
      if (!touch) return;
      const across = event.changedTouches[0].clientX - touch.clientX;
      const down = event.changedTouches[0].clientY - touch.clientY;
      const scrolls = figure.contains(touch.target) && figure.scrollWidth > figure.clientWidth + 1;
      if (!scrolls && Math.abs(across) > 40 && Math.abs(across) > 2 * Math.abs(down)) jump(now - Math.sign(across));
      touch = null;
    });

    // The size of the figure: as the style sheet says, that is readable, or all of it, or pixels to a point.
    const wide = svg.viewBox.baseVal.width;
    const zoom = (factor) => {
      const scale = Math.max(0.2, Math.min(5, (svg.getBoundingClientRect().width / wide) * factor));
      svg.style.width = factor ? scale * wide + "px" : "";
      if (!factor) root.toggleAttribute("data-whole", true);
      point(now);
    };
    click("closer", () => zoom(1.25));
    click("farther", () => zoom(0.8));
    click("whole", () => zoom(0));

    const themes = ["auto", "light", "dark"];
    const theme = find("theme");
    if (theme) theme.addEventListener("click", () => {
      const next = themes[(themes.indexOf(root.dataset.theme || "auto") + 1) % 3];
      root.dataset.theme = next;
      theme.lastChild.textContent = next;
    });

    const linked = () => (/^#\d+$/.test(location.hash) ? frameAt(Number(location.hash.slice(1))) : -1);
    if (alone) addEventListener("hashchange", () => linked() >= 0 && show(linked()));
    root.dataset.ready = "";
    const first = alone ? linked() : -1;
    show(first >= 0 ? first : frameAt(film.first));
    began = true;
  };

  document.querySelectorAll(".gradstep:not([data-ready])").forEach(begin);
})();
